//! Which decisions are left open: how often they are asked for, and which kinds are none.

use std::collections::BTreeSet;

use super::ChoiceKind;
use crate::machine::Granularity;

/// A set of kinds of choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds(u8);

impl Kinds {
    /// No kind.
    pub const NONE: Kinds = Kinds(0);
    /// Everything that comes from outside of the drivers' own threads.
    pub const WORLD: Kinds = Kinds::NONE
        .with(ChoiceKind::Interrupt)
        .with(ChoiceKind::Dpc)
        .with(ChoiceKind::Timer)
        .with(ChoiceKind::Packet)
        .with(ChoiceKind::Thread);

    /// The set with one more kind.
    #[must_use]
    pub const fn with(self, kind: ChoiceKind) -> Kinds {
        Kinds(self.0 | 1 << kind as u8)
    }

    /// Whether the kind is in the set.
    pub const fn contains(self, kind: ChoiceKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// Whether all kinds of `other` are in the set.
    pub const fn includes(self, other: Kinds) -> bool {
        self.0 & other.0 == other.0
    }

    /// The kinds in the set.
    pub fn iter(self) -> impl Iterator<Item = ChoiceKind> {
        ChoiceKind::ALL
            .into_iter()
            .filter(move |&k| self.contains(k))
    }
}

impl FromIterator<ChoiceKind> for Kinds {
    fn from_iter<I: IntoIterator<Item = ChoiceKind>>(kinds: I) -> Kinds {
        kinds.into_iter().fold(Kinds::NONE, Kinds::with)
    }
}

/// How the outside world behaves where it has no choice. Delay-bounded scheduling takes any
/// deterministic scheduler to deviate from (Emmi, Qadeer, Rakamaric, POPL 2011); here there are two
/// of them, for each kind of choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// Kinds that are no choices: what they are about happens only when nothing else can.
    pub held: Kinds,
    /// Kinds that are no choices either: what they are about happens as soon as it can. Streams take
    /// turns, and so do the cores that their packets interrupt.
    pub prompt: Kinds,
}

impl World {
    /// Everything is a choice.
    pub const OPEN: World = World {
        held: Kinds::NONE,
        prompt: Kinds::NONE,
    };

    /// What comes from outside happens only when nothing else can.
    pub const HELD: World = World {
        held: Kinds::WORLD,
        prompt: Kinds::NONE,
    };

    /// What comes from outside happens as soon as it can, and threads keep their cores.
    pub const PROMPT: World = World {
        held: Kinds::NONE.with(ChoiceKind::Thread),
        prompt: World::CAN_BE_PROMPT,
    };

    /// The kinds that can be prompt. A thread that gives way as soon as it can would never get on.
    pub const CAN_BE_PROMPT: Kinds = Kinds::NONE
        .with(ChoiceKind::Interrupt)
        .with(ChoiceKind::Dpc)
        .with(ChoiceKind::Timer)
        .with(ChoiceKind::Packet);

    /// Whether the kind is a choice.
    pub const fn leaves_open(self, kind: ChoiceKind) -> bool {
        !self.held.contains(kind) && !self.prompt.contains(kind)
    }
}

/// Which decisions of a run are left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Where choices are made.
    pub granularity: Granularity,
    /// What is no choice.
    pub world: World,
    /// Addresses of instructions that are scheduling points at `sync` granularity too: accesses
    /// known to race.
    pub racy: BTreeSet<u64>,
}

impl From<Granularity> for Scope {
    fn from(granularity: Granularity) -> Scope {
        Scope {
            granularity,
            world: World::OPEN,
            racy: BTreeSet::new(),
        }
    }
}
