//! The call stack of the event at the cursor, and of every core at the end of the run.

use emu::report::Place;
use ratatui::text::Line;

use super::super::theme::Theme;
use super::record::short_source;
use super::state::TraceState;

/// The lines.
pub fn lines(state: &TraceState, theme: &Theme) -> Vec<Line<'static>> {
    let report = &state.trace.report;
    let mut lines = Vec::new();
    if let Some(moment) = state.moment().filter(|moment| !moment.stack.is_empty()) {
        let title = format!("core {} at {}: {}", moment.core, moment.at, moment.text);
        lines.push(Line::styled(title, theme.strong()));
        lines.extend(moment.stack.iter().map(frame));
        lines.push(Line::default());
        lines.push(Line::styled("at the end of the run:", theme.faint()));
    }
    let irqls = report.run.profile.irql();
    for core in &report.cores {
        let level = irqls.name(core.irql);
        let title = format!(
            "core {}  IRQL {} ({level})  {}",
            core.core, core.irql, core.context
        );
        lines.push(Line::styled(title, theme.strong()));
        lines.extend(core.stack.iter().map(frame));
    }
    lines
}

fn frame(place: &Place) -> Line<'static> {
    let source = match &place.source {
        Some((file, line)) => format!("{}:{line}", short_source(file)),
        None => String::new(),
    };
    let name = match (&place.module, &place.function) {
        (_, Some(function)) => function.clone(),
        (Some(module), None) => module.clone(),
        (None, None) => String::new(),
    };
    Line::from(
        format!("  {:08x} {name}  {source}", place.pc)
            .trim_end()
            .to_owned(),
    )
}
