//! A table of the machine at the moment.

use emu::scene;
use ratatui::style::Style;
use ratatui::text::Line;

use super::super::theme::Theme;
use super::super::view::top_of;
use super::pane::Pane;
use super::state::{NO_RECORD, TraceState};

/// As many lines as there are rows in the pane: the title, the columns, and the rows around the
/// selected one.
pub fn lines(state: &TraceState, pane: Pane, theme: &Theme, rows: usize) -> Vec<Line<'static>> {
    let Some((listing, current)) = state.listing(pane) else {
        let text = match state.trace.record {
            Some(_) => "the machine is being put at this moment ...",
            None => NO_RECORD,
        };
        return vec![Line::styled(text, theme.faint())];
    };
    let mut lines = Vec::new();
    if !listing.title.is_empty() {
        let title = emu::report::words::printable(&listing.title);
        lines.push(Line::styled(title, theme.strong()));
    }
    if listing.rows.is_empty() {
        lines.push(Line::from(listing.empty));
        return lines;
    }
    let widths = scene::widths(listing);
    let columns = listing.columns.iter().map(|name| (*name).to_owned());
    lines.push(Line::styled(
        row(&mut columns.into_iter(), &widths, ' '),
        theme.faint(),
    ));
    let room = rows.saturating_sub(lines.len());
    let selected = state.selected(listing);
    let top = top_of(selected, listing.rows.len(), room);
    let shown = listing.rows.iter().enumerate().skip(top).take(room);
    lines.extend(shown.map(|(i, cells)| {
        let mark = if listing.current == Some(i) {
            '▶'
        } else {
            ' '
        };
        let mut cells = cells.cells.iter().map(|c| emu::report::words::printable(c));
        let style = match i == selected && state.pane == pane {
            true => theme.selected(),
            false if listing.current == Some(i) => theme.strong(),
            // What is shown is of another moment until the machine has got to this one.
            false if !current => theme.faint(),
            false => Style::new(),
        };
        Line::styled(row(&mut cells, &widths, mark), style)
    }));
    lines
}

fn row(cells: &mut dyn Iterator<Item = String>, widths: &[usize], mark: char) -> String {
    let mut text = String::from(mark);
    for (cell, width) in cells.zip(widths) {
        text += &format!("{cell:<width$} ");
    }
    text.trim_end().to_owned()
}
