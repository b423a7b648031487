//! The happens-before relation of the steps of a run, as a number that is the same for every run
//! that differs only in the order of independent steps.
//!
//! Musuvathi and Qadeer, "Partial-Order Reduction for Context-Bounded State Exploration"
//! (MSR-TR-2007-12): two runs with the same relation end in the same state, so a search with a bound
//! need not go on from both. A step is hashed with the steps that it depends on, and the run is the
//! sum of its steps, which does not depend on their order.
//!
//! Steps of one core depend on each other, and so do those of one actor, those that
//! [`Operation::conflicts`], those that change what the dispatcher looks at, and those on whose way
//! to the next point the kernel allocates or frees memory ([`Aside`]). Besides that, nothing is
//! shared between two points, as for [`Dpor`](super::Dpor).

use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher};

use twox_hash::XxHash3_64;

use crate::choice::{Action, Actor, Aside, Effect, Operation, View};
use crate::nt::effect;

/// Ranges of memory are told apart in pieces of so many bytes. Two that share a piece conflict.
const PIECE: u64 = 8;
/// What touches more pieces than this touches anything.
const MOST_PIECES: u64 = 64;

/// Two independent hashes: classes are told apart by them alone, and there are millions.
type Sum = [u64; 2];

/// A step that is being made, or might be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The core that it is on.
    pub core: u8,
    actor: Actor,
    operation: Operation,
}

impl Step {
    /// The step of an option.
    pub fn of(view: &dyn View, action: Action) -> Step {
        let core = match action {
            Action::Run(core) | Action::Switch(core) | Action::Dpcs(core) | Action::Clock(core) => {
                core
            }
            Action::Interrupt { core, .. } | Action::Packet { core, .. } => core,
            // Inside a step of whichever core.
            Action::Spare | Action::Strike(_) => u8::MAX,
        };
        Step {
            core,
            actor: view.actor(action),
            operation: view.operation(action),
        }
    }
}

/// The relation so far.
#[derive(Clone, Debug, Default)]
pub struct Order {
    total: Sum,
    /// The last step of each core, and of each actor.
    cores: BTreeMap<u8, Sum>,
    actors: BTreeMap<Actor, Sum>,
    /// The steps that touched each piece of memory.
    pieces: BTreeMap<u64, Touched>,
    /// All steps that others can see, and those of them that may touch anything.
    all: Sum,
    anything: Sum,
    /// Cores that became idle or busy, whose order among themselves does not matter, are readers;
    /// what changes threads is a writer.
    dispatched: Touched,
    /// As of the last step.
    aside: Aside,
    /// The step that is being made.
    step: Option<Step>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Touched {
    read: Sum,
    changed: Sum,
}

impl Touched {
    /// The sum of the steps that one that touches the same depends on.
    fn before(&self, changes: bool) -> Sum {
        match changes {
            true => sum(self.changed, self.read),
            false => self.changed,
        }
    }

    fn add(&mut self, step: Sum, changes: bool) {
        let of_its_kind = match changes {
            true => &mut self.changed,
            false => &mut self.read,
        };
        *of_its_kind = sum(*of_its_kind, step);
    }
}

impl Order {
    /// `action` is about to happen.
    pub fn begin(&mut self, view: &dyn View, action: Action) {
        self.end(view);
        self.step = Some(Step::of(view, action));
    }

    /// The step that was being made is over.
    pub fn end(&mut self, view: &dyn View) {
        let (before, now) = (self.aside, view.aside());
        self.aside = now;
        let Some(mut step) = self.step.take() else {
            return;
        };
        // A call for pool says so itself. What was freed aside nobody may touch any more.
        if !effect::uses_pool(&step.operation) {
            if now.freed != before.freed {
                step.operation = Operation::ANYTHING;
            } else if now.allocated != before.allocated {
                step.operation = effect::with_pool(step.operation);
            }
        }
        let dispatched = match now.threads == before.threads {
            true => (now.idle != before.idle).then_some(false),
            false => Some(true),
        };
        let hash = self.hash(&step, dispatched);
        self.add(&step, dispatched, hash);
    }

    /// The number of what has happened; between two steps.
    pub fn class(&self) -> u64 {
        debug_assert!(self.step.is_none());
        fold(self.total)
    }

    /// What the number will be when this step has been made as well, if it does nothing besides its
    /// operation.
    pub fn class_after(&self, step: &Step) -> u64 {
        fold(sum(self.total, self.hash(step, None)))
    }

    /// `dispatched`: it has changed which cores are idle, and, if true, which threads are ready.
    fn hash(&self, step: &Step, dispatched: Option<bool>) -> Sum {
        let mut before = dispatched.map_or_else(Sum::default, |d| self.dispatched.before(d));
        match pieces(&step.operation) {
            None => before = sum(before, self.all),
            Some(pieces) => {
                if !step.operation.is_local() {
                    before = sum(before, self.anything);
                }
                for (piece, changes) in pieces {
                    if let Some(touched) = self.pieces.get(&piece) {
                        before = sum(before, touched.before(changes));
                    }
                }
            }
        }
        let core = self.cores.get(&step.core).copied().unwrap_or_default();
        let actor = self.actors.get(&step.actor).copied().unwrap_or_default();
        std::array::from_fn(|lane| {
            let mut hasher = XxHash3_64::with_seed(lane as u64);
            let words = [core[lane], actor[lane], before[lane]];
            words.iter().for_each(|&word| hasher.write_u64(word));
            dispatched.hash(&mut hasher);
            step.hash(&mut hasher);
            hasher.finish()
        })
    }

    fn add(&mut self, step: &Step, dispatched: Option<bool>, hash: Sum) {
        self.total = sum(self.total, hash);
        self.cores.insert(step.core, hash);
        self.actors.insert(step.actor, hash);
        if let Some(threads) = dispatched {
            self.dispatched.add(hash, threads);
        }
        if step.operation.is_local() {
            return;
        }
        self.all = sum(self.all, hash);
        let Some(pieces) = pieces(&step.operation) else {
            self.anything = sum(self.anything, hash);
            return;
        };
        for (piece, changes) in pieces {
            self.pieces.entry(piece).or_default().add(hash, changes);
        }
    }
}

/// The pieces that an operation touches, and whether it changes them; nothing if that may be any.
fn pieces(operation: &Operation) -> Option<impl Iterator<Item = (u64, bool)>> {
    let of = |start: u64, length: u32| {
        let last = start.saturating_add(u64::from(length.max(1)) - 1);
        start / PIECE..=last / PIECE
    };
    let count: u64 = operation
        .touches()
        .iter()
        .map(|t| 1 + u64::from(t.length) / PIECE)
        .sum();
    let known = !operation.is_anything() && count <= MOST_PIECES;
    known.then(|| {
        let touches = operation.touches().iter();
        touches.flat_map(move |t| {
            let changes = t.effect != Effect::Read;
            of(t.start, t.length).map(move |piece| (piece, changes))
        })
    })
}

fn sum(a: Sum, b: Sum) -> Sum {
    [a[0].wrapping_add(b[0]), a[1].wrapping_add(b[1])]
}

fn fold(hash: Sum) -> u64 {
    hash[0] ^ hash[1].rotate_left(32)
}
