//! A run as plain data: made on the worker, read by the view.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::sync::{Arc, Mutex};

use emu::explain::{Explained, MachineNames};
use emu::loader::Image;
use emu::machine::Machine;
use emu::position::Position;
use emu::report::{Place, Report, words};
use emu::scene::lanes::Lanes;
use emu::trace::{Event, EventKind};
use emu::travel::{Record, Traveller};

use crate::bundle::bundle;
use crate::workbench::worker::CaseChoice;

/// Everything that the trace shows.
pub struct Trace {
    /// How the run ended, and why.
    pub report: Report,
    /// The events, oldest first.
    pub moments: Vec<Moment>,
    /// What they look like on the lanes.
    pub lanes: Arc<Lanes>,
    /// The drivers as they were loaded.
    pub images: Vec<Arc<Image>>,
    /// What was executed; a trace without it can be looked at, but not walked by instructions.
    pub record: Option<Arc<Record>>,
    /// What it is a run of, if somebody knows.
    pub case: Option<CaseChoice>,
    /// The text of its schedule file.
    pub schedule: String,
    /// What did not fit when it was repeated as far as it goes.
    pub remarks: Vec<String>,
    /// The choices among the reasons that decided otherwise would have let the run complete.
    pub saving: Vec<Position>,
    /// The reason to begin at, by index, where a finding gives one.
    pub reason: Option<usize>,
    /// A machine to walk it with, until somebody takes it.
    pub traveller: Mutex<Option<Box<Traveller>>>,
    /// The lines of source that are executed, as one writes them, with the addresses at which their
    /// code begins.
    pub lines: BTreeMap<String, Vec<u64>>,
    /// The lines of the source files that the drivers' places name.
    pub sources: BTreeMap<String, Vec<String>>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When.
    pub at: Position,
    /// On which core.
    pub core: u8,
    /// What happened.
    pub text: Arc<str>,
    /// Where in the code.
    pub place: Option<Arc<Place>>,
}

impl Trace {
    /// The trace of a run that was recorded.
    pub fn new(explained: Explained) -> Trace {
        let Explained {
            machine, report, ..
        } = &explained;
        let events = machine.recorder.events();
        let mut texts = Texts::new(machine);
        let moments: Vec<Moment> = events
            .iter()
            .map(|event| Moment {
                at: event.at,
                core: event.core,
                text: texts.text(event),
                place: (event.pc != 0).then(|| texts.place(event.pc)),
            })
            .collect();
        let images = machine
            .setup
            .modules
            .iter()
            .filter_map(|m| m.image.clone())
            .collect();
        let mut sources = Sources::default();
        texts.places.values().for_each(|place| sources.add(place));
        for event in 0..events.len() {
            let stack = machine.recorder.stack(event).unwrap_or_default();
            texts.inlined(stack, &mut |place| sources.add(place));
        }
        for step in &report.why {
            step.stack.iter().for_each(|place| sources.add(place));
            sources.add(&step.place);
        }
        let stacks = report.cores.iter().flat_map(|core| &core.stack);
        stacks.for_each(|place| sources.add(place));
        let report = report.clone();
        let record = Arc::new(Record::new(explained));
        Trace {
            lines: lines(&record),
            report,
            moments,
            lanes: record.lanes().clone(),
            images,
            sources: sources.0,
            record: Some(record),
            case: None,
            schedule: String::new(),
            remarks: Vec::new(),
            saving: Vec::new(),
            reason: None,
            traveller: Mutex::default(),
        }
    }
}

/// Where the code of each executed line begins: behind another line's, in the order of addresses.
fn lines(record: &Record) -> BTreeMap<String, Vec<u64>> {
    let mut lines: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut last = None;
    for pc in record.executed() {
        let frame = record.source(pc);
        let line = frame.map(|frame| format!("{}:{}", short_source(&frame.file), frame.line));
        if line != last
            && let Some(line) = &line
        {
            lines.entry(line.clone()).or_default().push(pc);
        }
        last = line;
    }
    lines
}

/// Events in words and addresses as places; each is worked out once, and kept once however often
/// it occurs.
struct Texts<'a> {
    names: MachineNames<'a>,
    texts: HashMap<&'a EventKind, Arc<str>>,
    places: BTreeMap<u64, Arc<Place>>,
    /// Return addresses whose places have been told.
    told: BTreeSet<u64>,
}

impl<'a> Texts<'a> {
    fn new(machine: &'a Machine) -> Self {
        Texts {
            names: MachineNames::new(machine),
            texts: HashMap::new(),
            places: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    fn text(&mut self, event: &'a Event) -> Arc<str> {
        let names = &self.names;
        let text = self.texts.entry(&event.kind);
        text.or_insert_with(|| words(event, names).into()).clone()
    }

    fn place(&mut self, pc: u64) -> Arc<Place> {
        let names = &self.names;
        self.places
            .entry(pc)
            .or_insert_with(|| Arc::new(names.resolve(pc)))
            .clone()
    }

    /// Tells the places of return addresses that have not been told; a return address stands behind
    /// its call.
    fn inlined(&mut self, stack: &[u64], tell: &mut dyn FnMut(&Place)) {
        for &pc in stack {
            if self.told.insert(pc) {
                let places = self.names.resolve_inlined(pc.saturating_sub(1));
                places.iter().for_each(&mut *tell);
            }
        }
    }
}

/// The text of every source file that is named anywhere: from the bundle, or else from the disk,
/// where a driver of the user's own was built.
#[derive(Default)]
struct Sources(BTreeMap<String, Vec<String>>);

impl Sources {
    fn add(&mut self, place: &Place) {
        let Some((file, _)) = &place.source else {
            return;
        };
        if self.0.contains_key(file) {
            return;
        }
        let bundled = bundle()
            .file(file)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let text = bundled
            .or_else(|| fs::read_to_string(file).ok())
            .unwrap_or_default();
        self.0
            .insert(file.clone(), text.lines().map(plain).collect());
    }
}

/// A line of source as a terminal may show it.
fn plain(line: &str) -> String {
    emu::report::words::printable(&line.replace('\t', "    "))
}

pub use emu::scene::{short_place, short_source};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_paths_keep_what_tells_files_apart() {
        let cases = [
            ("drivers-src/ipnat/src/nat/reset.rs", "nat/reset.rs"),
            ("drivers-src/ipnat/src/reset.rs", "ipnat/reset.rs"),
            ("reset.rs", "reset.rs"),
            ("", ""),
        ];
        for (file, short) in cases {
            assert_eq!(short_source(file), short);
        }
    }
}
