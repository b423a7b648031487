//! The last events of all cores as a table with one column per core.
//!
//! Every line shows the IRQL of every core as the height of a mark, so an interleaving can be
//! read downwards without colours; the event's words stand in the column of its core.

use isa::Profile;
use serde::Serialize;

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
