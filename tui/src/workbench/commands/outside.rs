//! Commands that the program also has outside of the workbench, with the same grammar: the parser
//! of the program reads them.

use std::path::Path;

use clap::{CommandFactory, Parser};

use super::super::app::{App, Effect, View};
use super::super::search_job::SearchJob;
use super::super::worker::{CaseChoice, Task};
use super::{ALL, Args, Command, Group, PLAIN};
use crate::catalogue;
use crate::cli::{self, Cli};
use emu::choice::Moves;
use emu::faults::KINDS;
use emu::scenario::SettingKind;

/// See the module.
pub const GROUP: Group = Group {
    title: "By name, as on the command line of irqlab",
    commands: COMMANDS,
};

const COMMANDS: &[Command] = &[
    Command {
        id: "run",
        help: "run a scenario, with the options of `irqlab run`",
        views: ALL,
        args: Some(&Args {
            form: "SCENARIO [OPTION]...",
            required: true,
            complete: |app, before| complete("run", app, before),
        }),
        act: run,
        ..PLAIN
    },
    Command {
        id: "explore",
        help: "search schedules, with the options of `irqlab explore`",
        views: ALL,
        args: Some(&Args {
            form: "SCENARIO [OPTION]...",
            required: true,
            complete: |app, before| complete("explore", app, before),
        }),
        act: explore,
        ..PLAIN
    },
    Command {
        id: "fault",
        help: "the run again with a fault from here on, as after --fault",
        views: &[View::Trace],
        args: Some(&Args {
            form: "KIND[@PLACE][:NAME=VALUE,...]",
            required: true,
            complete: |_, before| match before {
                [] => KINDS.iter().map(|kind| kind.name.to_owned()).collect(),
                _ => Vec::new(),
            },
        }),
        act: App::inject,
        ..PLAIN
    },
    Command {
        id: "replay",
        help: "open a recorded run, with the options of `irqlab replay`",
        views: ALL,
        args: Some(&Args {
            form: "FILE",
            required: true,
            complete: |app, before| complete("replay", app, before),
        }),
        act: replay,
        ..PLAIN
    },
];

/// Options that are about what is printed, or that the workbench cannot do.
const NOT_HERE: &[&str] = &["--format", "--width", "--resume"];

/// The command of the program with these words.
fn parse(verb: &str, words: &[String]) -> Result<cli::Command, String> {
    let named = |word: &&String| {
        let name = word.split('=').next().unwrap_or(word);
        NOT_HERE.contains(&name)
    };
    if let Some(word) = words.iter().find(named) {
        return Err(format!(
            "{word} has no meaning in the workbench\n\
             mend: leave it out, or call `irqlab {verb}` outside"
        ));
    }
    let verbs = ["irqlab", verb].map(str::to_owned);
    let parsed = Cli::try_parse_from(verbs.iter().chain(words));
    let parsed = parsed.map_err(|error| {
        let text = error.render().to_string();
        text.strip_prefix("error: ")
            .unwrap_or(&text)
            .trim_end()
            .to_owned()
    })?;
    parsed
        .command
        .ok_or_else(|| format!("'{verb}' is no command of irqlab"))
}

fn run(app: &mut App, words: &[String]) -> Effect {
    let args = match parse("run", words) {
        Ok(cli::Command::Run(args)) => args,
        Ok(_) => return Effect::None,
        Err(problem) => return Effect::Refuse(problem),
    };
    let task = match args.schedule.as_deref().map(str::parse::<Moves>) {
        Some(Err(problem)) => return Effect::Refuse(format!("--schedule: {problem}")),
        Some(Ok(moves)) => Task::Moves {
            moves,
            strategy: "replay".into(),
            seed: args.seed,
            finding: None,
            best_effort: false,
        },
        None => Task::Seeds {
            strategy: args.strategy.0,
            first: args.seed,
            tries: match args.until_stop {
                true => crate::session::TRIES,
                false => 1,
            },
        },
    };
    app.start(CaseChoice::of(&args.case), task, args.save)
}

fn explore(app: &mut App, words: &[String]) -> Effect {
    match explore_job(words) {
        Ok(job) => app.start_search(job),
        Err(problem) => Effect::Refuse(problem),
    }
}

/// The search that these words after `irqlab explore` ask for.
///
/// # Errors
/// They do not fit the grammar, or each other.
pub(in super::super) fn explore_job(words: &[String]) -> Result<SearchJob, String> {
    match parse("explore", words)? {
        cli::Command::Explore(args) => SearchJob::new(args, words),
        _ => Err("this is no search".into()),
    }
}

fn replay(app: &mut App, words: &[String]) -> Effect {
    match parse("replay", words) {
        Ok(cli::Command::Replay(args)) if args.file == "-" => {
            Effect::Refuse("the workbench has the terminal\nmend: name a file".into())
        }
        Ok(cli::Command::Replay(args)) => app.replay(args.file, args.best_effort),
        Ok(_) => Effect::None,
        Err(problem) => Effect::Refuse(problem),
    }
}

/// What may come next: values of an option, names of options, scenarios and files.
fn complete(verb: &str, app: &App, before: &[String]) -> Vec<String> {
    let program = Cli::command();
    let Some(verb) = program.find_subcommand(verb) else {
        return Vec::new();
    };
    let option = |word: &str| {
        let name = word.strip_prefix("--")?;
        let found = verb
            .get_arguments()
            .find(|arg| arg.get_long() == Some(name));
        found.filter(|arg| arg.get_action().takes_values())
    };
    if let Some(option) = before.last().and_then(|word| option(word)) {
        let values = option.get_possible_values();
        return match option.get_id().as_str() {
            "set" => settings(before),
            _ => values
                .iter()
                .map(|value| value.get_name().to_owned())
                .collect(),
        };
    }
    let mut positional = false;
    let mut value = false;
    for word in before {
        positional |= !value && !word.starts_with("--");
        value = option(word).is_some();
    }
    if !positional {
        return app.home.names(verb.get_name() == "replay");
    }
    let options = verb.get_arguments().filter_map(|arg| arg.get_long());
    let options = options.map(|name| format!("--{name}"));
    options
        .filter(|name| !NOT_HERE.contains(&name.as_str()))
        .collect()
}

/// `KEY=VALUE` for every setting of the scenario that the words name.
fn settings(words: &[String]) -> Vec<String> {
    let known = |word: &&String| Path::new(word).exists() || catalogue::is_bundled(word);
    let Some(source) = words
        .iter()
        .find(known)
        .and_then(|name| catalogue::find(name).ok())
    else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for setting in &source.scenario.settings {
        let name = &setting.name;
        let values: Vec<String> = match &setting.kind {
            SettingKind::Bool => ["true", "false"].map(str::to_owned).to_vec(),
            SettingKind::Choice(values) => values.clone(),
            SettingKind::Int { .. } => vec![setting.default.to_string()],
        };
        all.extend(values.iter().map(|value| format!("{name}={value}")));
    }
    all
}
