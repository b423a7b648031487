//! A table of the machine at the moment.

use std::iter;

use emu::report::words::printable;
use emu::scene;
use ratatui::style::Style;
use ratatui::text::Line;

use super::super::theme::Theme;
use super::super::view::{top_of, wrapped};
use super::Body;
use super::pane::Pane;
use super::state::{NO_RECORD, TraceState};

/// Cells by which what does not fit in the line of a row is indented below it.
const INDENT: usize = 3;

/// As many lines as there are rows in the pane: the title, the columns, and the rows around the
/// selected one. A row is a line, cut if it does not fit; of the selected one, what is cut is below.
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
    let columns = listing.columns.iter().map(|name| (*name).to_owned());
    let shown = shown(&widths, width);
    let head = cut(joined(' ', columns, &widths[..shown]), width);
    lines.push(Line::styled(head, theme.faint()));
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
        let cells: Vec<String> = cells.cells.iter().map(|cell| printable(cell)).collect();
        let whole = joined(mark, cells.iter().cloned(), &widths[..shown]);
        let rest = match i == selected {
            true => rest(&cells, listing.columns, &widths, (shown, width)),
            false => Vec::new(),
        };
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
        let own = iter::once(cut(whole, width)).chain(rest);
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

/// The fewest characters of a column that are worth showing.
const FEWEST: usize = 6;

/// How many columns there is room for; of the last perhaps not for all of it.
fn shown(widths: &[usize], width: usize) -> usize {
    let mut begin = 1;
    let begins = widths.iter().map(|wide| {
        let own = begin;
        begin += wide + 1;
        own
    });
    let fits = begins
        .zip(widths)
        .take_while(|(begin, wide)| begin + (**wide).min(FEWEST) <= width);
    fits.count()
}

/// The cells of a row below each other's columns.
fn joined(mark: char, cells: impl Iterator<Item = String>, widths: &[usize]) -> String {
    let mut text = String::from(mark);
    for (cell, width) in cells.zip(widths) {
        text += &format!("{cell:<width$} ");
    }
    text.trim_end().to_owned()
}

/// A line that is no wider than that.
fn cut(line: String, width: usize) -> String {
    if line.chars().count() <= width {
        return line;
    }
    let kept = line.chars().take(width.saturating_sub(1));
    kept.chain(iter::once('…')).collect()
}

/// The cells that are cut in the line of their row, with the names of their columns, in as few lines
/// as hold them.
fn rest(
    cells: &[String],
    columns: &[&str],
    widths: &[usize],
    (shown, width): (usize, usize),
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut from = 1;
    let all = cells.iter().zip(columns).zip(widths).enumerate();
    for (i, ((cell, column), wide)) in all {
        let end = from + cell.chars().count();
        from += wide + 1;
        if cell.is_empty() || (i < shown && end <= width) {
            continue;
        }
        let item = format!("{column}: {cell}");
        match lines.last_mut() {
            Some(line) if line.chars().count() + item.chars().count() + 2 <= width => {
                *line += &format!("  {item}");
            }
            _ => {
                let room = width.saturating_sub(INDENT);
                let parts = wrapped(&item, room).into_iter();
                lines.extend(parts.map(|part| format!("{:INDENT$}{part}", "")));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_in_the_line_of_a_row_is_told_below_it() {
        let cells = ["ab", "cdef", "", "a place/with.rs:12", "last"].map(str::to_owned);
        let columns = ["one", "two", "none", "where", "end"];
        let widths = [3, 4, 4, 18, 5];
        let line = |width| {
            let widths = &widths[..shown(&widths, width)];
            cut(joined('>', cells.iter().cloned(), widths), width)
        };
        let rest = |width| rest(&cells, &columns, &widths, (shown(&widths, width), width));
        assert_eq!(line(80), ">ab  cdef      a place/with.rs:12 last");
        assert!(rest(39).is_empty(), "all of it is in the line");
        assert_eq!(line(37), ">ab  cdef      a place/with.rs:12");
        assert_eq!(rest(37), ["   end: last"]);
        assert_eq!(line(21), ">ab  cdef      a pla…");
        assert_eq!(
            rest(21),
            ["   where: a", "   place/with.rs:12", "   end: last"]
        );
        assert_eq!(rest(33), ["   end: last"]);
        assert_eq!(rest(0).len(), 5, "nothing is lost where there is no room");
    }
}
