//! Tables as text.

use super::Listing;
use crate::report::words::printable;

/// A table in columns as wide as their cells. The row of the focus has a mark before it.
pub fn text(listing: &Listing) -> String {
    let mut out = String::new();
    if !listing.title.is_empty() {
        out += &printable(&listing.title);
        out.push('\n');
    }
    if listing.rows.is_empty() {
        out += listing.empty;
        out.push('\n');
        return out;
    }
    let widths = widths(listing);
    let mut line = |mark: &str, cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::from(mark);
        for (cell, width) in cells.zip(&widths) {
            text += &format!("{:<width$}  ", printable(cell));
        }
        out += text.trim_end();
        out.push('\n');
    };
    line("  ", &mut listing.columns.iter().copied());
    for (i, row) in listing.rows.iter().enumerate() {
        let mark = if listing.current == Some(i) {
            "> "
        } else {
            "  "
        };
        line(mark, &mut row.cells.iter().map(String::as_str));
    }
    out
}

/// How wide each column is, in characters.
pub fn widths(listing: &Listing) -> Vec<usize> {
    let width = |column: usize| {
        let cells = listing.rows.iter().filter_map(|row| row.cells.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(listing.columns[column].chars().count())
    };
    (0..listing.columns.len()).map(width).collect()
}
