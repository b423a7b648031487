//! Selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury: Selectively Uniform
//! Concurrency Testing, ASPLOS 2025).
//!
//! A random walk is not uniform over schedules: an actor that has a long way to go is to be taken
//! more often. The paper's first algorithm (URW) takes each actor with a probability in proportion
//! to its remaining steps, those of the actors that it is still to create included. Its second one
//! (SURW) does so for a subset of the steps, the interesting ones: it decides whose interesting step
//! comes next, with probabilities in proportion to the remaining interesting steps; everybody else
//! stops in front of an interesting step; and between them it is a plain random walk.
//!
//! `urw` is the first algorithm: every step is interesting. `surw` is the second one, with two
//! assumptions:
//! - Which steps are interesting is drawn per run, as those that touch certain objects: every object
//!   (a start address) with the same probability, which is itself drawn per run, from [`SHARES`].
//! - How many of an actor's remaining steps will be interesting is not known, so they count as if
//!   the interesting ones were the same share of everybody's.
//!
//! The steps of an actor are what [`Hints`] say, and at least one more while it can act. Actors that
//! have not appeared yet are to be created by whoever made the step before one appeared, the first
//! actor at first.
//!
//! Where a fault may strike, it does with the same probability as not.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::{Hints, Quiet, Strategy, StrategyKind};
use crate::choice::{Action, Actor, Choice, Operation, View};

pub(super) const KIND: StrategyKind = StrategyKind {
    name: "surw",
    help: "selectively uniform random walk: as the steps that are left, on objects drawn per run",
    make: |seed, hints| Box::new(Surw::new(seed, hints)),
    wants_hints: true,
};

pub(super) const KIND_URW: StrategyKind = StrategyKind {
    name: "urw",
    help: "uniform random walk: who has more steps left is taken more often",
    make: |seed, hints| Box::new(Surw::uniform(seed, hints)),
    wants_hints: true,
};

/// In how many of [`ALL`] objects a run is interested; drawn per run.
const SHARES: [u64; 4] = [1, 2, 2, 4];

/// The share that is every object.
const ALL: u64 = 4;

/// See the module.
pub struct Surw {
    dice: Dice,
    /// What decides which objects are interesting.
    taste: u64,
    share: u64,
    /// Steps left of each actor that has appeared.
    left: BTreeMap<Actor, u64>,
    /// Steps of the actors that have not appeared yet.
    unborn: BTreeMap<Actor, u64>,
    /// Who is taken to create them.
    creator: Option<Actor>,
    /// Who made the last step.
    last: Option<Actor>,
    /// Whose interesting step comes next.
    intended: Option<Actor>,
}

impl Surw {
    /// The walk of a seed that is uniform over a selection of the steps.
    pub fn new(seed: u64, hints: &Hints) -> Surw {
        let mut dice = Dice::new(seed);
        let share = SHARES[dice.below(SHARES.len())];
        Surw::with(dice, hints, share)
    }

    /// The walk of a seed that is uniform over all steps.
    pub fn uniform(seed: u64, hints: &Hints) -> Surw {
        Surw::with(Dice::new(seed), hints, ALL)
    }

    fn with(mut dice: Dice, hints: &Hints, share: u64) -> Surw {
        let taste = dice.bits();
        Surw {
            dice,
            taste,
            share,
            left: BTreeMap::new(),
            unborn: hints.steps.clone(),
            creator: None,
            last: None,
            intended: None,
        }
    }

    fn is_interesting(&self, operation: &Operation) -> bool {
        self.share == ALL
            || operation.is_anything()
            || operation
                .touches()
                .iter()
                .any(|t| Dice::new(self.taste ^ t.start).bits() % ALL < self.share)
    }

    /// An actor can act, or acts.
    fn appears(&mut self, actor: Actor) {
        if self.left.contains_key(&actor) {
            return;
        }
        let steps = self.unborn.remove(&actor).unwrap_or(1);
        self.left.insert(actor, steps);
        self.creator = self.last.or(Some(actor));
    }

    /// The steps left of an actor and of those that it is to create.
    fn weight(&self, actor: Actor) -> u64 {
        let own = self.left.get(&actor).copied().unwrap_or(1).max(1);
        match self.creator == Some(actor) {
            true => self.unborn.values().fold(own, |a, &b| a.saturating_add(b)),
            false => own,
        }
    }

    /// One of the actors, in proportion to their weights.
    fn intend(&mut self, actors: &[Actor]) -> Actor {
        let total = actors
            .iter()
            .fold(0u64, |sum, &a| sum.saturating_add(self.weight(a)));
        let mut at = self
            .dice
            .below(usize::try_from(total).unwrap_or(usize::MAX)) as u64;
        for &actor in actors {
            let weight = self.weight(actor);
            if at < weight {
                return actor;
            }
            at -= weight;
        }
        actors[0]
    }
}

impl Strategy for Surw {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        if choice.options[0] == Action::Spare {
            return self.dice.below(choice.options.len());
        }
        let options = 0..choice.options.len();
        let all: Vec<Actor> = options.clone().map(|o| choice.actor(o)).collect();
        for &actor in &all {
            self.appears(actor);
        }
        let intended = match self.intended.filter(|actor| all.contains(actor)) {
            Some(actor) => actor,
            None => {
                let mut actors = all.clone();
                actors.sort_unstable();
                actors.dedup();
                self.intend(&actors)
            }
        };
        self.intended = Some(intended);
        let open: Vec<usize> = options
            .filter(|&o| all[o] == intended || !self.is_interesting(&choice.operation(o)))
            .collect();
        open[self.dice.below(open.len())]
    }

    fn quiet(&mut self, _next: &Choice<'_>) -> Quiet {
        Quiet::Ask
    }

    fn observes(&self) -> bool {
        true
    }

    fn observe(&mut self, view: &dyn View, action: Action) {
        let actor = view.actor(action);
        self.appears(actor);
        if let Some(left) = self.left.get_mut(&actor) {
            *left = left.saturating_sub(1);
        }
        self.last = Some(actor);
        if self.is_interesting(&view.operation(action)) {
            self.intended = None;
        }
    }
}
