//! What was noted about moments of the run.

use ratatui::text::Line;

use super::super::theme::Theme;
use super::pane::Pane;
use super::state::TraceState;

/// The notes, and which of them is selected.
pub fn lines(state: &TraceState, theme: &Theme) -> (Vec<Line<'static>>, usize) {
    if state.notes.is_empty() {
        return (
            vec![Line::from(
                "no notes; :note TEXT makes one about this moment",
            )],
            0,
        );
    }
    let selected = state.row.unwrap_or(0);
    let line = |(i, (focus, text)): (usize, &(emu::travel::Focus, String))| {
        let line = Line::from(format!(" {}  c{}  {text}", focus.at, focus.core));
        match i == selected && state.pane == Pane::Notes {
            true => line.style(theme.selected()),
            false => line,
        }
    };
    (state.notes.iter().enumerate().map(line).collect(), selected)
}
