//! Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized
//! Scheduler with Probabilistic Guarantees of Finding Bugs, ASPLOS 2010).
//!
//! Every actor has a random priority, and of what can happen the option of the highest one is taken.
//! At d - 1 change points, drawn from the choices of a run, who acts falls behind all others. A bug
//! that needs d ordered events is found by a run with a probability of at least 1 / (n k^(d-1)),
//! with n actors and k choices.
//!
//! Where this is more than the paper:
//! - The steps that are counted are choices, since nothing can be changed where there is none
//!   (section 4.1 there). A change is made when a choice has been carried out, so it shows at the
//!   next one: change points are drawn from the numbers 2 to k. At the first choice a change would
//!   only be another draw of the priorities.
//! - An actor that has several options (a packet that can arrive on any core) has one of them at
//!   random; going on, if it is among them, is preferred.
//! - Where a fault may strike, it does at change points.
//! - Where the number of choices is not known, a change point's magnitude is drawn first, so that
//!   runs of any length have some.

use super::dice::Dice;
use super::{Hints, Quiet, Strategy, StrategyKind};
use crate::choice::{Action, Actor, Choice};

pub(super) const KIND: StrategyKind = StrategyKind {
    name: "pct",
    help: "random priorities that change at random choices, for bugs of depth 3",
    make: |seed, hints| Box::new(Pct::new(seed, hints, 3)),
    wants_hints: true,
};

pub(super) const KIND_2: StrategyKind = StrategyKind {
    name: "pct2",
    help: "pct for bugs of depth 2: two events in the wrong order",
    make: |seed, hints| Box::new(Pct::new(seed, hints, 2)),
    wants_hints: true,
};

pub(super) const KIND_3: StrategyKind = StrategyKind {
    name: "pct3",
    ..KIND
};

/// Without hints, change points lie within two to this power.
const DEFAULT_MAGNITUDE: usize = 16;

/// What actors that have not fallen behind have at least.
const ORDINARY: u64 = 1 << 63;

/// See the module.
pub struct Pct {
    /// What the priorities of actors are made from.
    ranks: u64,
    dice: Dice,
    /// Numbers of the choices that are change points, the last one first.
    changes: Vec<u64>,
    /// Who has fallen behind; the last one is behind all others.
    fallen: Vec<Actor>,
}

impl Pct {
    /// One for bugs of a depth of at least 1.
    pub fn new(seed: u64, hints: &Hints, depth: usize) -> Pct {
        let mut dice = Dice::new(seed);
        let ranks = dice.bits();
        let mut changes = Vec::new();
        // A run with too few choices has as many change points as it can.
        let most = match hints.choices {
            0 => u64::MAX,
            known => known - 1,
        };
        for _ in 1..u64::try_from(depth)
            .unwrap_or(u64::MAX)
            .min(most.saturating_add(1))
        {
            let mut change = draw(&mut dice, hints.choices);
            while changes.contains(&change) {
                change = draw(&mut dice, hints.choices);
            }
            changes.push(change);
        }
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Pct {
            ranks,
            dice,
            changes,
            fallen: Vec::new(),
        }
    }

    /// An actor's priority. It depends on nothing but the seed and the actor, so that it does not
    /// matter when the actor is first seen.
    fn priority(&self, actor: Actor) -> u64 {
        match self.fallen.iter().rposition(|&a| a == actor) {
            Some(at) => (self.fallen.len() - at) as u64,
            None => ORDINARY | Dice::new(self.ranks ^ code(actor)).bits() >> 1,
        }
    }

    /// The options of the actor with the highest priority. `without_first`: not counting option 0.
    fn best(&self, choice: &Choice<'_>, without_first: bool) -> (u64, usize) {
        let mut best = (0, usize::from(without_first));
        for option in usize::from(without_first)..choice.options.len() {
            let priority = self.priority(choice.actor(option));
            if priority > best.0 {
                best = (priority, option);
            }
        }
        best
    }

    /// Whether the choice is a change point.
    fn changes_at(&mut self, number: u64) -> bool {
        let before = self.changes.len();
        while self.changes.last().is_some_and(|&at| at <= number) {
            self.changes.pop();
        }
        self.changes.len() < before
    }
}

impl Strategy for Pct {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        let change = self.changes_at(choice.number);
        if choice.options[0] == Action::Spare {
            return match change {
                true => 1 + self.dice.below(choice.options.len() - 1),
                false => 0,
            };
        }
        if change {
            let behind = choice.view.actor(Action::Run(choice.current));
            self.fallen.push(behind);
        }
        let changes = change && choice.could_go_on();
        let (priority, first) = self.best(choice, changes);
        if first == 0 && choice.could_go_on() {
            return 0;
        }
        let same: Vec<usize> = (first..choice.options.len())
            .filter(|&o| self.priority(choice.actor(o)) == priority)
            .collect();
        let taken = match same[..] {
            [only] => only,
            _ => same[self.dice.below(same.len())],
        };
        // A dispatcher that always came first would switch threads for ever: it has had its turn.
        if let Action::Switch(_) = choice.options[taken] {
            let dispatcher = choice.actor(taken);
            self.fallen.retain(|&a| a != dispatcher);
            self.fallen.push(dispatcher);
        }
        taken
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        // At the change point option 0 is what has fallen behind.
        match self.changes.last() {
            _ if !next.could_go_on() || self.best(next, false).1 != 0 => Quiet::Ask,
            Some(&at) if at <= next.number => Quiet::Ask,
            Some(&at) => Quiet::Pass(at - next.number),
            None => Quiet::Forever,
        }
    }

    fn foresees(&self) -> bool {
        true
    }
}

/// A change point of a run with so many choices, at least 2; 0: not known.
fn draw(dice: &mut Dice, choices: u64) -> u64 {
    let below = |dice: &mut Dice, n: u64| dice.below(usize::try_from(n).unwrap_or(usize::MAX));
    if choices > 0 {
        return 2 + below(dice, choices - 1) as u64;
    }
    let magnitude = 1u64 << dice.below(DEFAULT_MAGNITUDE);
    1 + magnitude + below(dice, magnitude) as u64
}

/// A number for each actor. It is part of what a seed means.
fn code(actor: Actor) -> u64 {
    let (kind, id) = match actor {
        Actor::Thread(id) => (1, id),
        Actor::Dpc(core) => (2, u32::from(core)),
        Actor::Interrupt(core) => (3, u32::from(core)),
        Actor::Dispatcher(core) => (4, u32::from(core)),
        Actor::Clock => (5, 0),
        Actor::Sender(stream) => (6, u32::from(stream)),
        Actor::Fault(rule) => (7, u32::from(rule)),
    };
    kind << 32 | u64::from(id)
}
