//! A table of the machine at the moment.

use std::ops::Range;

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
    let room = rows.saturating_sub(lines.len());
    let selected = state.selected(listing);
    let (mut all, mut first) = (Vec::new(), 0);
    for (i, cells) in listing.rows.iter().enumerate() {
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
        if i == selected {
            first = all.len();
        }
        let own = fold.lines(cells.collect(), mark).into_iter();
        all.extend(own.map(|line| (Line::styled(line, style), Some(i))));
    }
    let top = top_of(first, all.len(), room);
    for (line, row) in all.into_iter().skip(top).take(room) {
        lines.push(line);
        about.push(row);
    }
    Body {
        lines,
        at: 0,
        rows: about,
    }
}

/// Which columns are in which line of a row that does not fit in one.
struct Fold<'a> {
    widths: &'a [usize],
    width: usize,
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
        Fold {
            widths,
            width,
            ends,
        }
    }

    /// The lines of a row: one, if what is in it fits.
    fn lines(&self, cells: Vec<String>, mark: char) -> Vec<String> {
        let whole = self.line(&cells, 0..cells.len(), String::from(mark));
        if whole.chars().count() <= self.width {
            return vec![whole];
        }
        let mut first = 0;
        let mut lines = Vec::new();
        for &end in &self.ends {
            let begin = match first {
                0 => String::from(mark),
                _ => " ".repeat(INDENT),
            };
            lines.push(self.line(&cells, first..end, begin));
            first = end;
        }
        lines.retain(|line| !line.is_empty());
        lines
    }

    fn line(&self, cells: &[String], columns: Range<usize>, begin: String) -> String {
        let mut text = begin;
        for (cell, width) in cells
            .iter()
            .zip(self.widths)
            .take(columns.end)
            .skip(columns.start)
        {
            text += &format!("{cell:<width$} ");
        }
        text.trim_end().to_owned()
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
        let short = ["ab", "cdef", "", ""].map(str::to_owned).to_vec();
        let fold = Fold::new(&[3, 4, 1, 2], 9);
        assert_eq!(fold.lines(short, ' '), [" ab  cdef"], "what fits has one");
        assert_eq!(folded(0).len(), 4, "a column is cut, not lost");
    }
}
