//! The lanes around the moment and over the whole run: IRQL as height, events as marks.

use super::lanes::{Decided, Lanes};
use super::{Listing, Pane, Row, View};
use crate::report::Height;

/// The pane.
pub const PANE: Pane = Pane {
    name: "timeline",
    help: "a lane for each core: its IRQL as height and its events as letters, near and far",
    list,
};

/// Cells of a lane.
const CELLS: usize = 64;

fn list(view: &View<'_>) -> Listing {
    let lanes = view.record.lanes();
    let here = view.past().end.saturating_sub(1);
    // The smallest cells in which the whole run fits.
    let cell = lanes.len().div_ceil(CELLS).next_power_of_two();
    let from = here.saturating_sub(CELLS / 2);
    let from = from.min(lanes.len().saturating_sub(CELLS));
    let (near, far) = (cut(lanes, from, 1), cut(lanes, 0, cell));
    let moment = |at: usize| " ".repeat(at.min(CELLS - 1)) + "▼";
    let mut rows = vec![Row::new([
        "at".into(),
        moment(here - from.min(here)),
        moment(here / cell),
    ])];
    let cores = near.cores.into_iter().zip(far.cores).enumerate();
    rows.extend(cores.map(|(core, (near, far))| {
        let row = Row::new([format!("c{core}"), near, far]);
        row.core(core as u8)
    }));
    rows.push(Row::new(["◆".into(), near.choices, far.choices]));
    Listing {
        title: format!(
            "event {} of {}; near: a cell is an event, whole run: {cell}",
            (here + 1).min(lanes.len()),
            lanes.len()
        ),
        columns: &["lane", "near", "whole run"],
        current: Some(1 + usize::from(view.focus.core)),
        rows,
        empty: "nothing happened",
    }
}

/// Lanes as text.
struct Text {
    cores: Vec<String>,
    choices: String,
}

/// The lanes from an event on, in cells of so many events.
fn cut(lanes: &Lanes, from: usize, cell: usize) -> Text {
    let mut heights = lanes.heights_before(from);
    let mut text = Text {
        cores: vec![String::new(); lanes.cpus()],
        choices: String::new(),
    };
    let starts = (0..CELLS).map(|i| from + i * cell);
    for start in starts.take_while(|&start| start < lanes.len()) {
        let (sums, decided) = lanes.cell(start, cell);
        for (core, sum) in sums.iter().enumerate() {
            let highest = sum.highest.max(heights[core]);
            if sum.last != Height::Unknown {
                heights[core] = sum.last;
            }
            let letter = sum.mark.map(|mark| mark.letter());
            text.cores[core].push(letter.unwrap_or_else(|| highest.mark()));
        }
        text.choices.push(match decided {
            Decided::Nothing => ' ',
            Decided::Choices => '◇',
            Decided::Deviates => '◆',
        });
    }
    text
}
