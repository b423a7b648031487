//! What there is to see at a moment of a run: every pane is a table that a function makes from the
//! machine, put at that moment, and the record. A terminal draws it, a script reads it.

mod choice;
pub mod code;
mod cores;
mod events;
mod irps;
pub mod lanes;
mod locks;
mod log;
pub mod mark;
mod memory;
mod packets;
mod pool;
mod queues;
mod registers;
mod stack;
mod text;
mod threads;
mod timeline;
mod why;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

pub use text::{text, widths};

use crate::explain::MachineNames;
use crate::machine::Machine;
use crate::position::Position;
use crate::report::{Place, words::Names};
use crate::travel::{Datum, Focus, Record};

/// A pane.
#[derive(Debug)]
pub struct Pane {
    /// Its name, as one writes it.
    pub name: &'static str,
    /// What it shows, in a line.
    pub help: &'static str,
    /// Makes it.
    pub list: fn(&View<'_>) -> Listing,
}

/// All panes.
pub const PANES: &[&Pane] = &[
    &why::PANE,
    &timeline::PANE,
    &cores::PANE,
    &code::PANE,
    &stack::PANE,
    &registers::PANE,
    &memory::PANE,
    &choice::PANE,
    &events::PANE,
    &pool::PANE,
    &locks::PANE,
    &irps::PANE,
    &threads::PANE,
    &queues::PANE,
    &packets::PANE,
    &log::PANE,
];

/// The pane of that name.
pub fn find(name: &str) -> Option<&'static Pane> {
    PANES.iter().find(|pane| pane.name == name).copied()
}

/// What panes are made from.
pub struct View<'a> {
    /// The machine at the moment of the focus.
    pub machine: &'a Machine,
    /// The whole run.
    pub record: &'a Record,
    /// What is looked at.
    pub focus: Focus,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// What it is about.
    pub title: String,
    /// Its columns, by name.
    pub columns: &'static [&'static str],
    /// Its rows.
    pub rows: Vec<Row>,
    /// The row of the focus, by index.
    pub current: Option<usize>,
    /// What is to be said where there are no rows.
    pub empty: &'static str,
}

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// A cell for each column.
    pub cells: Vec<String>,
    /// The moment that it is about.
    pub at: Option<Position>,
    /// The core that it is about.
    pub core: Option<u8>,
    /// The memory that it is about.
    pub datum: Option<Datum>,
}

impl Row {
    /// A row of these cells, about nothing in particular.
    pub fn new<const N: usize>(cells: [String; N]) -> Row {
        Row {
            cells: cells.into(),
            ..Row::default()
        }
    }

    /// The same about a moment.
    pub fn at(mut self, at: Position) -> Row {
        self.at = Some(at);
        self
    }

    /// The same about a core.
    pub fn core(mut self, core: u8) -> Row {
        self.core = Some(core);
        self
    }

    /// The same about memory.
    pub fn datum(mut self, address: u64, length: u64) -> Row {
        let length = length.max(1);
        self.datum = Some(Datum { address, length });
        self
    }
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = |(i, row): (usize, &Row)| {
            let cells = self.columns.iter().zip(&row.cells);
            let cells = cells.map(|(column, cell)| ((*column).to_owned(), Value::from(&**cell)));
            let mut object: Map<String, Value> = cells.collect();
            if let Some(at) = row.at {
                object.insert("at".into(), at.to_string().into());
            }
            if let Some(Datum { address, length }) = row.datum {
                let datum = json!({ "address": format!("0x{address:x}"), "length": length });
                object.insert("datum".into(), datum);
            }
            if self.current == Some(i) {
                object.insert("current".into(), true.into());
            }
            Value::Object(object)
        };
        let rows: Vec<Value> = self.rows.iter().enumerate().map(row).collect();
        json!({ "title": self.title, "rows": rows }).serialize(serializer)
    }
}

impl<'a> View<'a> {
    /// The names of the machine.
    fn names(&self) -> MachineNames<'a> {
        MachineNames::new(self.machine)
    }

    /// A pointer in the digits of the machine.
    fn digits(&self, va: u64) -> String {
        self.names().digits(va)
    }

    /// An IRQL by its name.
    fn irql(&self, level: u8) -> String {
        self.machine.irqls().name(level).to_owned()
    }

    /// A code address in short: file and line, or the function.
    fn short(&self, pc: u64) -> String {
        match pc {
            0 => String::new(),
            _ => short_place(&self.names().resolve(pc)),
        }
    }

    /// The place in the driver's own code at which an event happened.
    fn event_place(&self, event: usize) -> String {
        let names = self.names();
        let stack = self.record.stack(event);
        match names.own_frame(stack) {
            Some(frame) => self.short(stack[frame].saturating_sub(1)),
            None => self.short(self.record.events()[event].pc),
        }
    }

    /// The events up to the focus, by index.
    fn past(&self) -> std::ops::Range<usize> {
        let behind = match self.focus.event {
            Some(event) if self.record.events()[event].at == self.focus.at => event + 1,
            _ => self.record.event_behind(self.focus.at),
        };
        0..behind
    }

    /// What lies at an address, in words; empty if nothing is known of it.
    fn target(&self, va: u64) -> String {
        if self.machine.in_driver(va).is_some() {
            return self.names().resolve(va).to_string();
        }
        let words = self.names().object(va);
        match words.split_once(" (") {
            Some((_, rest)) => rest.trim_end_matches(')').to_owned(),
            None => String::new(),
        }
    }
}

/// A place in short: `nat/reset.rs:97`, or the function, or the address.
pub fn short_place(place: &Place) -> String {
    match (&place.source, &place.function) {
        (Some((file, line)), _) => format!("{}:{line}", short_source(file)),
        (None, Some(function)) => function.clone(),
        (None, None) => format!("{:x}", place.pc),
    }
}

/// The end of a source path, enough to know the file: `nat/reset.rs`. A crate's `src` says
/// nothing, so the crate's name stands for it.
pub fn short_source(file: &str) -> String {
    let parts: Vec<&str> = file
        .split(['/', '\\'])
        .filter(|part| *part != "src")
        .collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}
