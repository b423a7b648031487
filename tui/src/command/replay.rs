//! `irqlab replay`: a recorded run, exactly, or not at all.

use std::fs;
use std::io::Read;

use emu::explain::{Explained, RunHeader};

use crate::catalogue;
use crate::cli::ReplayArgs;
use crate::failure::{Failure, Outcome};
use crate::replay_line::{Answers, quoted};
use crate::schedule_file::ScheduleFile;
use crate::session::Session;

/// Longest schedule file in bytes: a guard against reading something else by mistake.
const LONGEST: u64 = 256 << 20;

pub(super) fn run(args: &ReplayArgs) -> Outcome<bool> {
    if args.file == "-" && args.diff.as_deref() == Some("-") {
        let problem = "standard input is the first run already";
        return Err(Failure::at("--diff", problem).mend("name a file"));
    }
    let (session, explained) = explained(&args.file, args.best_effort, &mut |note| {
        eprintln!("irqlab: {}: {note}", args.file);
    })?;
    if let Some(other) = &args.diff {
        let (_, second) = self::explained(other, args.best_effort, &mut |note| {
            eprintln!("irqlab: {other}: {note}");
        })?;
        return super::diff::show(&args.file, explained, other, second, &args.output);
    }
    match args.moment.given() {
        Some(moment) => super::moment::show(&session, explained, moment, &args.output),
        None => super::run::show(&explained, &args.output),
    }
}

/// The run that a file has recorded. What does not fit is an error, or with `best_effort` a note.
///
/// # Errors
/// The file cannot be read or is no schedule, or the run is not the recorded one any more.
pub(crate) fn explained(
    name: &str,
    best_effort: bool,
    note: &mut dyn FnMut(String),
) -> Outcome<(Session, Explained)> {
    let at = |problem: &dyn std::fmt::Display| Failure::at(name, problem);
    let text = read(name)?;
    let file: ScheduleFile = text.parse().map_err(|error: String| {
        at(&error).mend("`irqlab run SCENARIO --save FILE` writes schedules")
    })?;
    let source = match &file.made {
        None => catalogue::find(&file.scenario)?,
        Some((text, call)) => catalogue::made(&file.scenario, text.clone(), call.clone())?,
    };
    let session = Session::of(source, file.selection(), file.openness())?;
    if let Err(difference) = file.check(&session.loaded) {
        if !best_effort {
            let mend = "replay it with the irqlab and the files that it was recorded with, or as \
                        far as it goes with --best-effort";
            return Err(at(&difference).mend(mend));
        }
        note(difference);
    }
    let header = RunHeader {
        seed: file.seed,
        strategy: file.strategy.clone(),
        replay_line: match name {
            "-" => session.replay_line(Answers::Schedule(&file.moves.to_string())),
            _ => format!("irqlab replay {}", quoted(name)),
        },
    };
    if best_effort {
        let (explained, misfit) = session.run_as_far_as_possible(&file.moves, &header)?;
        match misfit {
            Some(problem) => note(problem),
            None if explained.ended.trace_hash != file.trace => {
                note("every move was made, but the run is another one".to_owned());
            }
            None => {}
        }
        return Ok((session, explained));
    }
    let explained = session.run_moves(&file.moves, name, &header)?;
    if explained.ended.trace_hash != file.trace {
        let difference = format!(
            "the run is another one than the recorded (trace {:016x}, now {:016x})",
            file.trace, explained.ended.trace_hash
        );
        return Err(at(&difference).mend("it was recorded with another version of irqlab"));
    }
    Ok((session, explained))
}

fn read(name: &str) -> Outcome<String> {
    let mut text = String::new();
    let read = match name {
        "-" => std::io::stdin().take(LONGEST).read_to_string(&mut text),
        path => fs::File::open(path).and_then(|f| f.take(LONGEST).read_to_string(&mut text)),
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::at(name, error)),
    }
}
