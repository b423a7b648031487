//! A run as plain data: made on the worker, read by the view.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use emu::explain::{Explained, MachineNames};
use emu::loader::Image;
use emu::machine::Machine;
use emu::position::Position;
use emu::report::{Height, Place, Report, words};
use emu::trace::EventKind;
use emu::travel::{Record, Traveller};

use super::mark::Mark;
use crate::bundle::bundle;

/// Most events that are kept: the last ones.
const MOST: usize = 200_000;

/// Everything that the trace shows.
pub struct Trace {
    /// How the run ended, and why.
    pub report: Report,
    /// The events, oldest first.
    pub moments: Vec<Moment>,
    /// How many older events were left out.
    pub left_out: usize,
    /// The drivers as they were loaded.
    pub images: Vec<Arc<Image>>,
    /// What was executed; a trace without it can be looked at, but not walked by instructions.
    pub record: Option<Arc<Record>>,
    /// The text of its schedule file.
    pub schedule: String,
    /// A machine to walk it with, until somebody takes it.
    pub traveller: Option<Box<Traveller>>,
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
    /// The height of the core's IRQL after it.
    pub height: Height,
    /// What it is on the lanes.
    pub mark: Option<Mark>,
    /// For a choice: whether it changed something.
    pub deviates: bool,
    /// What happened.
    pub text: String,
    /// Where in the code.
    pub place: Option<Arc<Place>>,
    /// The call stack, innermost first, of events that have one.
    pub stack: Arc<[Place]>,
}

impl Trace {
    /// The trace of a run that was recorded.
    pub fn new(explained: Explained) -> Trace {
        let Explained {
            machine, report, ..
        } = &explained;
        let events = machine.recorder.events();
        let left_out = events.len().saturating_sub(MOST);
        let mut places = Places::new(machine);
        let profile = machine.setup.profile;
        let moments: Vec<Moment> = events
            .iter()
            .enumerate()
            .skip(left_out)
            .map(|(i, event)| Moment {
                at: event.at,
                core: event.core,
                height: Height::of(
                    profile,
                    match event.kind {
                        EventKind::Irql { to, .. } => to,
                        _ => event.irql,
                    },
                ),
                mark: Mark::of(&event.kind),
                deviates: matches!(event.kind, EventKind::Choice { taken: 1.., .. }),
                text: words(event, &places.names),
                place: (event.pc != 0).then(|| places.place(event.pc)),
                stack: machine
                    .recorder
                    .stack(i)
                    .map_or_else(|| Arc::from([]), |s| places.stack(s)),
            })
            .collect();
        let images = machine
            .setup
            .modules
            .iter()
            .filter_map(|m| m.image.clone())
            .collect();
        let sources = sources(report, &moments);
        Trace {
            report: report.clone(),
            moments,
            left_out,
            images,
            sources,
            record: Some(Arc::new(Record::new(explained))),
            schedule: String::new(),
            traveller: None,
        }
    }
}

/// Addresses as places; each is looked up once.
struct Places<'a> {
    names: MachineNames<'a>,
    known: BTreeMap<u64, Arc<Place>>,
    stacks: BTreeMap<Vec<u64>, Arc<[Place]>>,
}

impl<'a> Places<'a> {
    fn new(machine: &'a Machine) -> Self {
        let names = MachineNames::new(machine);
        Places {
            names,
            known: BTreeMap::new(),
            stacks: BTreeMap::new(),
        }
    }

    fn place(&mut self, pc: u64) -> Arc<Place> {
        let names = &self.names;
        self.known
            .entry(pc)
            .or_insert_with(|| Arc::new(names.resolve(pc)))
            .clone()
    }

    /// Return addresses, innermost first; a return address stands behind its call.
    fn stack(&mut self, addresses: &[u64]) -> Arc<[Place]> {
        let names = &self.names;
        let stack = self.stacks.entry(addresses.to_vec()).or_insert_with(|| {
            addresses
                .iter()
                .flat_map(|pc| names.resolve_inlined(pc.saturating_sub(1)))
                .collect()
        });
        stack.clone()
    }
}

/// The text of every source file that is named anywhere: from the bundle, or else from the disk,
/// where a driver of the user's own was built.
fn sources(report: &Report, moments: &[Moment]) -> BTreeMap<String, Vec<String>> {
    let of_moments = moments
        .iter()
        .flat_map(|m| m.place.as_deref().into_iter().chain(&*m.stack));
    let of_why = report
        .why
        .iter()
        .flat_map(|step| step.stack.iter().chain([&step.place]));
    let of_cores = report.cores.iter().flat_map(|core| &core.stack);
    let mut sources = BTreeMap::new();
    for place in of_moments.chain(of_why).chain(of_cores) {
        let Some((file, _)) = &place.source else {
            continue;
        };
        if sources.contains_key(file) {
            continue;
        }
        let bundled = bundle()
            .file(file)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let text = bundled
            .or_else(|| fs::read_to_string(file).ok())
            .unwrap_or_default();
        sources.insert(file.clone(), text.lines().map(plain).collect());
    }
    sources
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
