//! A table of the machine at the moment.

use emu::report::words::printable;
use emu::scene;
use ratatui::style::Style;
use ratatui::text::Line;

use super::super::theme::Theme;
use super::super::view::top_of;
use super::Body;
use super::pane::Pane;
use super::state::{NO_RECORD, TraceState};

/// Cells by which a second line of a row is indented.
const INDENT: usize = 3;

/// As many lines as there are rows in the pane: the title, the columns, and the rows around the
/// selected one. What does not fit in the width goes on in a second line, column by column.
pub fn body(state: &TraceState, pane: Pane, theme: &Theme, width: usize, rows: usize) -> Body {
    let Some((listing, current)) = state.listing(pane) else {
        let text = match state.trace.record {
            Some(_) => "the machine is being put at this moment ...",
            None => NO_RECORD,
        };
        return Body {
            lines: vec![Line::styled(text, theme.faint())],
            ..Body::default()
        };
    };
    let mut lines = Vec::new();
    if !listing.title.is_empty() {
        let title = printable(&listing.title);
        lines.push(Line::styled(title, theme.strong()));
    }
    if listing.rows.is_empty() {
        lines.push(Line::from(listing.empty));
        return Body {
            lines,
            ..Body::default()
        };
    }
    let widths = scene::widths(listing);
    let fold = Fold::new(&widths, width);
    let columns = listing.columns.iter().map(|name| (*name).to_owned());
    for line in fold.lines(columns.collect(), ' ') {
        lines.push(Line::styled(line, theme.faint()));
    }
    let mut about = vec![None; lines.len()];
    let room = rows.saturating_sub(lines.len()) / fold.height();
    let selected = state.selected(listing);
    let top = top_of(selected, listing.rows.len(), room);
    for (i, cells) in listing.rows.iter().enumerate().skip(top).take(room) {
        let mark = if listing.current == Some(i) {
            '▶'
        } else {
            ' '
        };
        let cells = cells.cells.iter().map(|cell| printable(cell));
        let style = match i == selected && state.pane == pane {
            true => theme.selected(),
            false if listing.current == Some(i) => theme.strong(),
            // What is shown is of another moment until the machine has got to this one.
            false if !current => theme.faint(),
            false => Style::new(),
        };
        for line in fold.lines(cells.collect(), mark) {
            lines.push(Line::styled(line, style));
            about.push(Some(i));
        }
    }
    Body {
        lines,
        at: 0,
        rows: about,
    }
}

/// Which columns are in which line of a row.
struct Fold<'a> {
    widths: &'a [usize],
    /// Behind the last column of each line.
    ends: Vec<usize>,
}

impl Fold<'_> {
    /// As few lines as hold all columns; one that is too wide for a line has one, and is cut.
    fn new(widths: &[usize], width: usize) -> Fold<'_> {
        let mut ends = Vec::new();
        let mut used = 1;
        for (column, wide) in widths.iter().enumerate() {
            // The last column of a line needs no space behind it.
            if column > 0 && used + wide > width {
                ends.push(column);
                used = INDENT;
            }
            used += wide + 1;
        }
        ends.push(widths.len());
        Fold { widths, ends }
    }

    /// Lines of a row.
    fn height(&self) -> usize {
        self.ends.len()
    }

    fn lines(&self, cells: Vec<String>, mark: char) -> Vec<String> {
        let mut first = 0;
        let line = |(n, &end): (usize, &usize)| {
            let mut text = match n {
                0 => String::from(mark),
                _ => " ".repeat(INDENT),
            };
            for (cell, width) in cells.iter().zip(self.widths).take(end).skip(first) {
                text += &format!("{cell:<width$} ");
            }
            first = end;
            text.trim_end().to_owned()
        };
        self.ends.iter().enumerate().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_do_not_fit_go_on_in_another_line() {
        let cells = || ["ab", "cdef", "g", "hi"].map(str::to_owned).to_vec();
        let folded = |width| Fold::new(&[3, 4, 1, 2], width).lines(cells(), '>');
        assert_eq!(folded(80), [">ab  cdef g hi"]);
        assert_eq!(folded(14), [">ab  cdef g hi"]);
        assert_eq!(folded(13), [">ab  cdef g", "   hi"]);
        assert_eq!(folded(9), [">ab  cdef", "   g hi"]);
        assert_eq!(folded(6), [">ab", "   cdef", "   g", "   hi"]);
        assert_eq!(folded(0).len(), 4, "a column is cut, not lost");
    }
}
