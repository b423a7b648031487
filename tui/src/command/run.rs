//! `irqlab run`: one schedule, explained.

use std::fs;

use emu::choice::Moves;
use emu::explain::Explained;
use emu::report::{json, text};

use crate::cli::{Format, OutputArgs, RunArgs};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::schedule_file::ScheduleFile;
use crate::session::Session;

pub(super) fn run(args: &RunArgs) -> Outcome<bool> {
    let session = Session::new(
        &args.case.scenario,
        args.case.selection(),
        args.case.granularity,
    )?;
    let (strategy, explained) = match &args.schedule {
        None => {
            let seed = match args.until_stop {
                true => session.stopping_seed(args.strategy.0, args.seed)?,
                false => args.seed,
            };
            (
                args.strategy.0.name,
                session.run_seed(args.strategy.0, seed)?,
            )
        }
        Some(text) => {
            let moves: Moves = text.parse().map_err(|e| Failure::at("--schedule", e))?;
            (
                "replay",
                session.run_moves(&moves, "--schedule", "replay", args.seed)?,
            )
        }
    };
    if let Some(path) = &args.save {
        let faults = &session.selection.faults;
        let how = (strategy, args.seed);
        let file = ScheduleFile::of(
            &session.source.name,
            &session.loaded,
            faults,
            session.granularity,
            how,
            &explained.ended,
        );
        fs::write(path, format!("{file}\n")).map_err(|e| Failure::at(path.display(), e))?;
    }
    show(&explained, &args.output)
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
