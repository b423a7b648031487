//! `irqlab run`: one schedule, explained.

use std::fs;

use emu::choice::Moves;
use emu::explain::{Explained, RunHeader};
use emu::report::{json, text};

use crate::cli::{Format, OutputArgs, RunArgs};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::replay_line::Answers;
use crate::schedule_file::ScheduleFile;
use crate::session::Session;

pub(super) fn run(args: &RunArgs) -> Outcome<bool> {
    let session = Session::new(
        &args.case.scenario,
        args.case.selection(),
        args.case.openness(),
    )?;
    let explained = match &args.schedule {
        None => {
            let seed = match args.until_stop {
                true => session.stopping_seed(args.strategy.0, args.seed)?,
                false => args.seed,
            };
            session.run_seed(args.strategy.0, seed)?
        }
        Some(text) => {
            let moves: Moves = text.parse().map_err(|e| Failure::at("--schedule", e))?;
            let header = RunHeader {
                seed: args.seed,
                strategy: "replay".to_owned(),
                replay_line: session.replay_line(Answers::Schedule(text)),
            };
            session.run_moves(&moves, "--schedule", &header)?
        }
    };
    if let Some(path) = &args.save {
        let file = ScheduleFile::of(&session, &explained);
        fs::write(path, format!("{file}\n")).map_err(|e| Failure::at(path.display(), e))?;
    }
    match args.moment.given() {
        Some(moment) => super::moment::show(&session, explained, moment, &args.output),
        None => show(&explained, &args.output),
    }
}

/// Prints the report of a run; whether the run ended as expected.
pub(super) fn show(explained: &Explained, form: &OutputArgs) -> Outcome<bool> {
    let report = &explained.report;
    match form.format {
        Format::Text => output::print(&text::render(report, output::width(form.width)))?,
        Format::Json => {
            let text = json::render(report).map_err(|e| Failure::at("the report as JSON", e))?;
            output::print(&text)?;
        }
    }
    Ok(report.expected)
}
