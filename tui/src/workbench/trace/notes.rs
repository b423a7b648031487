//! What was noted about moments of the run.

use ratatui::text::Line;

use super::super::theme::Theme;
use super::Body;
use super::pane::Pane;
use super::state::TraceState;

/// The notes, and which of them is selected.
pub fn body(state: &TraceState, theme: &Theme) -> Body {
    if state.notes.is_empty() {
        let text = "no notes; :note TEXT makes one about this moment";
        return Body {
            lines: vec![Line::from(text)],
            ..Body::default()
        };
    }
    let selected = state.row.unwrap_or(0);
    let line = |(i, (focus, text)): (usize, &(emu::travel::Focus, String))| {
        let line = Line::from(format!(" {}  c{}  {text}", focus.at, focus.core));
        match i == selected && state.pane == Pane::Notes {
            true => line.style(theme.selected()),
            false => line,
        }
    };
    Body {
        lines: state.notes.iter().enumerate().map(line).collect(),
        at: selected,
        rows: (0..state.notes.len()).map(Some).collect(),
    }
}
