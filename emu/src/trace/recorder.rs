//! Collects events: always into the trace hash, and as a list when somebody wants to read them.

use twox_hash::XxHash3_64;

use super::bytes::Bytes;
use super::event::{Event, EventKind};

/// Events are hashed together until they have so many bytes, each such piece with the hash of those
/// before it as its seed.
const PIECE: usize = 2048;

/// The events of a run so far.
#[derive(Clone)]
pub struct Recorder {
    /// Of the pieces that are complete.
    hash: u64,
    count: u64,
    keep: bool,
    events: Vec<Event>,
    /// Return addresses, innermost first, of the events that have a stack; by event index.
    stacks: Vec<(usize, Vec<u64>)>,
    /// The events since the last complete piece.
    bytes: Bytes,
}

impl Recorder {
    /// A recorder that keeps the events if `keep` is set; the hash is the same either way.
    pub fn new(keep: bool) -> Recorder {
        let (events, stacks, bytes) = (Vec::new(), Vec::new(), Bytes::default());
        Recorder {
            hash: 0,
            count: 0,
            keep,
            events,
            stacks,
            bytes,
        }
    }

    /// Whether the stack at this event is worth its cost: where a driver acts.
    pub fn wants_stack(&self, event: &Event) -> bool {
        self.keep
            && matches!(
                event.kind,
                EventKind::Pool { .. }
                    | EventKind::Lock { .. }
                    | EventKind::Call { .. }
                    | EventKind::Injected { .. }
                    | EventKind::Broken { .. }
            )
    }

    /// Whether events are kept.
    pub fn keeps(&self) -> bool {
        self.keep
    }

    /// Adds an event.
    pub fn record(&mut self, event: Event, stack: Option<Vec<u64>>) {
        if !matches!(event.kind, EventKind::Broken { .. }) {
            self.add_to_hash(&event);
        }
        if self.keep {
            if let Some(stack) = stack {
                self.stacks.push((self.events.len(), stack));
            }
            self.events.push(event);
        }
    }

    fn add_to_hash(&mut self, event: &Event) {
        self.bytes.add(event);
        self.count += 1;
        if self.bytes.all().len() >= PIECE {
            self.hash = self.hash();
            self.bytes.clear();
        }
    }

    /// Hash over all events so far, in order, but for broken rules.
    pub fn hash(&self) -> u64 {
        match self.bytes.all() {
            [] => self.hash,
            piece => XxHash3_64::oneshot_with_seed(self.hash, piece),
        }
    }

    /// Number of events so far that the hash covers.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The events, if they are kept.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The return addresses, innermost first, at an event.
    pub fn stack(&self, event: usize) -> Option<&[u64]> {
        let at = self.stacks.binary_search_by_key(&event, |(i, _)| *i).ok()?;
        Some(&self.stacks[at].1)
    }
}
