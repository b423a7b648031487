//! The run itself: what it was, how it ended, what the next boot would log, how to repeat it.

use emu::report::text::verdict;
use emu::report::{StopLine, waits};
use ratatui::text::Line;

use super::super::theme::Theme;
use super::super::view::wrapped;
use super::state::TraceState;

/// The lines.
pub fn lines(state: &TraceState, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let report = &state.trace.report;
    let run = &report.run;
    let mut lines = Vec::new();
    let mut text = |text: &str| match text {
        "" => lines.push(Line::default()),
        _ => {
            let wrapped = text.lines().flat_map(|line| wrapped(line, width));
            lines.extend(wrapped.map(Line::from));
        }
    };
    text(&verdict(report));
    text(match report.expected {
        true => "as the scenario expects",
        false => "NOT what the scenario expects",
    });
    for remark in &state.trace.remarks {
        text(&format!("repeated as far as it goes: {remark}"));
    }
    text(&format!(
        "{} instructions, {} choices",
        run.instructions, run.choices
    ));
    text(&format!(
        "{} strategy, {} granularity",
        run.strategy, run.granularity
    ));
    text(&format!("trace {:016x}", run.trace_hash));
    if let StopLine::Deadlock { waits } = &report.stop {
        text("");
        for line in waits::lines(waits) {
            text(&line);
        }
    }
    text("");
    text("again:");
    text(&run.replay_line);
    for lock in &report.locks {
        text("");
        text(&format!("lock {} taken at {}", lock.lock, lock.place));
        text(&format!(
            "holder: core {:?}, spinning: {:?}",
            lock.holder, lock.waiters
        ));
    }
    for finding in &report.findings {
        text("");
        text(&emu::oracle::render(finding));
    }
    for record in &report.event_log {
        text("");
        let id = record.id.map_or(String::new(), |id| format!(" {id}"));
        text(&format!(
            "event log of the next boot: {}{id}, {}",
            record.source, record.kind
        ));
        text(&record.description);
    }
    if let Some(first) = lines.first_mut() {
        *first = std::mem::take(first).style(theme.strong());
    }
    lines
}
