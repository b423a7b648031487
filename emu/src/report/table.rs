//! The last events of all cores as a table with one column per core.
//!
//! Every line shows the IRQL of every core as the height of a mark, so an interleaving can be
//! read downwards without colours; the event's words stand in the column of its core.

use isa::Profile;
use serde::Serialize;

use super::layout::wrap;
use super::words::{Names, words};
use crate::position::Position;
use crate::trace::event::{Event, EventKind};

/// An IRQL as a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Height {
    /// Nothing is known of the core yet.
    Unknown,
    /// PASSIVE_LEVEL.
    Passive,
    /// APC_LEVEL.
    Apc,
    /// DISPATCH_LEVEL.
    Dispatch,
    /// A device's level, and all between it and HIGH_LEVEL.
    Device,
    /// HIGH_LEVEL.
    High,
}

impl Height {
    /// The height of a level on a machine.
    pub fn of(profile: Profile, level: u8) -> Self {
        let table = profile.irql();
        match level {
            _ if level >= table.high => Self::High,
            _ if level > table.dispatch => Self::Device,
            _ if level > table.apc => Self::Dispatch,
            _ if level > table.passive => Self::Apc,
            _ => Self::Passive,
        }
    }

    /// The mark of a lane: a bar that is the higher, the higher the level.
    pub fn mark(self) -> char {
        match self {
            Self::Unknown => ' ',
            Self::Passive => '─',
            Self::Apc => '▂',
            Self::Dispatch => '▄',
            Self::Device => '▆',
            Self::High => '█',
        }
    }

    /// The same for a terminal without box characters.
    pub fn ascii(self) -> char {
        match self {
            Self::Unknown => ' ',
            Self::Passive => '-',
            Self::Apc => '.',
            Self::Dispatch => ':',
            Self::Device => '=',
            Self::High => '#',
        }
    }
}

/// One event, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub at: Position,
    /// On which core.
    pub core: u8,
    /// The core's IRQL when it happened.
    pub irql: u8,
    /// What happened.
    pub text: String,
    /// Where in the code, in short; empty if no instruction did it.
    pub place: String,
    /// The height of every core's IRQL after the event, in core order.
    pub heights: Vec<Height>,
}

/// The last `last` of the events for which `shown` holds, oldest first. The heights follow all
/// events, shown or not.
pub fn rows(
    events: &[Event],
    shown: &dyn Fn(&Event) -> bool,
    last: usize,
    profile: Profile,
    cpus: u8,
    names: &dyn Names,
) -> Vec<Row> {
    let total = events.iter().filter(|event| shown(event)).count();
    let mut skip = total.saturating_sub(last);
    let mut heights = vec![Height::Unknown; usize::from(cpus)];
    let mut rows = Vec::with_capacity(total.min(last));
    for event in events {
        let level = match event.kind {
            EventKind::Irql { to, .. } => to,
            _ => event.irql,
        };
        if let Some(height) = heights.get_mut(usize::from(event.core)) {
            *height = Height::of(profile, level);
        }
        if !shown(event) {
            continue;
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        rows.push(Row {
            at: event.at,
            core: event.core,
            irql: event.irql,
            text: words(event, names),
            place: match event.pc {
                0 => String::new(),
                pc => names.short(pc),
            },
            heights: heights.clone(),
        });
    }
    rows
}

/// Narrowest table, in cells: the marks of 32 cores and a little text.
const NARROWEST: usize = 64;
/// Narrowest column, in cells, that text of a core gets of its own.
const NARROWEST_COLUMN: usize = 24;

/// The table as lines of at most `width` cells (not less than 64), with a heading.
///
/// Each core has a column. Where there are too many cores for that, the marks of all cores stand
/// side by side and one column of text names the core.
pub fn lines(rows: &[Row], cpus: u8, width: usize) -> Vec<String> {
    let cpus = usize::from(cpus.max(1));
    let width = width.max(NARROWEST);
    let position = rows
        .iter()
        .map(|row| row.at.to_string().len())
        .fold("position".len(), usize::max);
    let column = width.saturating_sub(position) / cpus;
    if column > NARROWEST_COLUMN {
        columns(rows, cpus, position, column - 1)
    } else {
        lanes(rows, cpus, position, width)
    }
}

/// A column of `column` cells for each core: its mark, a space, and the text of its own events.
fn columns(rows: &[Row], cpus: usize, position: usize, column: usize) -> Vec<String> {
    let heading: String = (0..cpus)
        .map(|core| format!(" {:<column$}", format!("core {core}")))
        .collect();
    let mut lines = vec![format!("{:position$}{heading}", "position")];
    for row in rows {
        for (index, text) in wrap(&full_text(row), column - 2).iter().enumerate() {
            let mut line = match index {
                0 => format!("{:>position$}", row.at.to_string()),
                _ => " ".repeat(position),
            };
            for core in 0..cpus {
                let own = if core == usize::from(row.core) {
                    text
                } else {
                    ""
                };
                line += &format!(" {} {own:<1$}", mark(row, core), column - 2);
            }
            lines.push(line);
        }
    }
    trim(lines)
}

/// The marks of all cores side by side, and one column of text.
fn lanes(rows: &[Row], cpus: usize, position: usize, width: usize) -> Vec<String> {
    let numbers: String = (0..cpus)
        .filter_map(|core| char::from_digit(core as u32 % 10, 10))
        .collect();
    let mut lines = vec![format!("{:position$} {numbers} event", "position")];
    let room = width
        .saturating_sub(position + cpus + "  c31 ".len())
        .max(16);
    for row in rows {
        let marks: String = (0..cpus).map(|core| mark(row, core)).collect();
        for (index, text) in wrap(&full_text(row), room).iter().enumerate() {
            let (at, core) = match index {
                0 => (row.at.to_string(), format!("c{}", row.core)),
                _ => (String::new(), String::new()),
            };
            lines.push(format!("{at:>position$} {marks} {core:<3} {text}"));
        }
    }
    trim(lines)
}

fn full_text(row: &Row) -> String {
    match row.place.as_str() {
        "" => row.text.clone(),
        place => format!("{}  {place}", row.text),
    }
}

fn mark(row: &Row, core: usize) -> char {
    row.heights.get(core).map_or(' ', |height| height.mark())
}

fn trim(lines: Vec<String>) -> Vec<String> {
    lines
        .iter()
        .map(|line| line.trim_end().to_string())
        .collect()
}
