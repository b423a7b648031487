//! `irqlab rules`: the rules that drivers have to keep, and whether each is found broken and kept
//! by its own pair of drivers.

use emu::campaign::Campaign;
use emu::choice::strategy::Replay;
use emu::machine::Granularity;
use emu::rules::{Level, Param, RULES, Rule};
use emu::scenario::Selection;
use emu::stop::Stop;
use isa::Profile;
use serde::Serialize;

use crate::case;
use crate::catalogue::{self, Source};
use crate::cli::{Format, RulesArgs};
use crate::failure::{Failure, Outcome};
use crate::{output, table};

/// A machine for each architecture.
const PROFILES: [Profile; 3] = [Profile::I386, Profile::Amd64, Profile::Arm64];
/// The builds of rules.sys.
const BUILDS: [&str; 2] = ["broken", "kept"];

pub(super) fn run(args: &RulesArgs) -> Outcome<bool> {
    match args.check {
        true => check(args),
        false => list(args).map(|()| true),
    }
}

#[derive(Serialize)]
struct RuleObject {
    name: &'static str,
    help: &'static str,
    mend: &'static str,
    code: String,
    parameters: [String; 4],
    source: &'static str,
    level: &'static str,
}

fn list(args: &RulesArgs) -> Outcome<()> {
    if args.format == Format::Json {
        let all: Vec<RuleObject> = RULES.iter().map(|rule| object(rule)).collect();
        return output::print_json(&all);
    }
    let row = |rule: &&Rule| vec![rule.name.into(), rule.stop(), rule.help.into()];
    let rows: Vec<Vec<String>> = RULES.iter().map(row).collect();
    let text = table::render(&["Rule", "Stop", "What it demands"], &rows, &[]);
    output::print(&format!(
        "{text}\nEvery rule is at {} unless a scenario or --rule NAME=LEVEL says otherwise.\n",
        Level::DEFAULT.name()
    ))
}

fn object(rule: &Rule) -> RuleObject {
    let parameter = |param| match param {
        Param::Is(number) => format!("{number:#X}").replace("0X", "0x"),
        Param::What(words) => words.into(),
        Param::Unused => "0".into(),
    };
    RuleObject {
        name: rule.name,
        help: rule.help,
        mend: rule.mend,
        code: format!("0x{:08X}", rule.code),
        parameters: rule.params.map(parameter),
        source: rule.source,
        level: Level::DEFAULT.name(),
    }
}

/// What came of the two drivers of a rule on a machine.
#[derive(Serialize)]
struct Cell {
    rule: &'static str,
    profile: &'static str,
    broken: String,
    kept: String,
    right: bool,
}

fn check(args: &RulesArgs) -> Outcome<bool> {
    let source = catalogue::find("rules")?;
    let profiles = match args.profile {
        Some(profile) => vec![profile],
        None => PROFILES.to_vec(),
    };
    let mut cells = Vec::new();
    for rule in RULES {
        for &profile in &profiles {
            cells.push(cell(&source, rule, profile)?);
        }
    }
    let wrong = cells.iter().filter(|cell| !cell.right).count();
    match args.format {
        Format::Json => output::print_json(&cells)?,
        Format::Text => output::print(&text(&profiles, &cells, wrong))?,
    }
    Ok(wrong == 0)
}

fn text(profiles: &[Profile], cells: &[Cell], wrong: usize) -> String {
    let names = profiles.iter().map(|profile| profile.name());
    let headings: Vec<&str> = ["Rule", "Stop"].into_iter().chain(names).collect();
    let row = |(rule, cells): (&&Rule, &[Cell])| {
        let told = |cell: &Cell| match cell.right {
            true => "broken, kept".to_owned(),
            false => format!("broken: {}; kept: {}", cell.broken, cell.kept),
        };
        let mut row = vec![rule.name.to_owned(), rule.stop()];
        row.extend(cells.iter().map(told));
        row
    };
    let rows: Vec<Vec<String>> = RULES
        .iter()
        .zip(cells.chunks(profiles.len()))
        .map(row)
        .collect();
    let table = table::render(&headings, &rows, &[]);
    let rules = RULES.len();
    let sum = match wrong {
        0 => format!("all {rules} rules are found broken and kept"),
        n => format!("{n} of {} cells are not as they should be", cells.len()),
    };
    format!("{table}\n{sum}\n")
}

fn cell(source: &Source, rule: &'static Rule, profile: Profile) -> Outcome<Cell> {
    let mut right = true;
    let mut told = Vec::new();
    for build in BUILDS {
        let set = [("rule", rule.name), ("driver", build)];
        let selection = Selection {
            profile: Some(profile),
            set: set.map(|(key, value)| (key.into(), value.into())).to_vec(),
            ..Selection::default()
        };
        let loaded = case::load(source, &selection)?;
        let campaign = Campaign::new(&loaded.case, Granularity::Sync);
        let mut campaign = campaign.map_err(|error| Failure::at(&source.name, error))?;
        let ended = campaign.run(Box::new(Replay::new(Default::default())));
        let module = match &ended.stop {
            Stop::Bugcheck(bugcheck) => {
                let machine = campaign.machine();
                let module = machine.module_at(bugcheck.pc);
                module.map(|i| machine.setup.modules[i].name.clone())
            }
            _ => None,
        };
        let expect = &loaded.case.plan.expect;
        right &= expect.judge(&ended.stop, module.as_deref()).is_ok();
        told.push(stop(&ended.stop));
    }
    Ok(Cell {
        rule: rule.name,
        profile: profile.name(),
        kept: told.pop().unwrap_or_default(),
        broken: told.pop().unwrap_or_default(),
        right,
    })
}

/// How a run ended, in a word or two.
fn stop(stop: &Stop) -> String {
    match stop {
        Stop::Completed => "completed".into(),
        Stop::Bugcheck(b) => format!("{:#X}/{:X}", b.code, b.params[0]).replace("0X", "0x"),
        Stop::Deadlock { .. } => "deadlock".into(),
        Stop::Unimplemented { name, .. } => format!("unimplemented {name}"),
        Stop::Request { status, .. } => format!("request {status:#010X}").replace("0X", "0x"),
        Stop::Limit { .. } => "limit".into(),
    }
}
