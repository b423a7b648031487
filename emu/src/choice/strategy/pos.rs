//! Partial order sampling (Yuan, Yang, Gu: Partial Order Aware Concurrency Sampling, CAV 2018).
//!
//! Every pending event has a random priority, and the highest one happens. The priority of an event
//! that races with what happens is drawn anew, and so is that of the actor's next event: so the
//! order of two events that race does not depend on what else there is, and partial orders are
//! sampled more evenly than by a random walk.
//!
//! Where a fault may strike, it does with the same probability as not.

use super::dice::Dice;
use super::{Quiet, Strategy, StrategyKind};
use crate::choice::{Action, Actor, Choice, View};

pub(super) const KIND: StrategyKind = StrategyKind {
    name: "pos",
    help: "partial order sampling: random priorities of events, drawn anew where they race",
    make: |seed, _| Box::new(Pos::new(seed)),
    wants_hints: false,
};

/// See the module.
pub struct Pos {
    dice: Dice,
    pending: Vec<Event>,
}

/// Something that can happen, and its priority.
struct Event {
    option: Action,
    actor: Actor,
    priority: u64,
}

impl Pos {
    /// The sampling of a seed.
    pub fn new(seed: u64) -> Pos {
        Pos {
            dice: Dice::new(seed),
            pending: Vec::new(),
        }
    }

    /// The priority of an option, drawn where it has none.
    fn priority(&mut self, option: Action, actor: Actor) -> u64 {
        let known = |e: &&Event| e.option == option && e.actor == actor;
        if let Some(event) = self.pending.iter().find(known) {
            return event.priority;
        }
        let priority = self.dice.bits();
        self.pending.push(Event {
            option,
            actor,
            priority,
        });
        priority
    }
}

impl Strategy for Pos {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        if choice.options[0] == Action::Spare {
            return self.dice.below(choice.options.len());
        }
        let mut best = (0, 0);
        for (option, &action) in choice.options.iter().enumerate() {
            let priority = self.priority(action, choice.actor(option));
            if priority > best.1 {
                best = (option, priority);
            }
        }
        let taken = choice.operation(best.0);
        if !taken.is_local() {
            for (option, &action) in choice.options.iter().enumerate() {
                if option != best.0 && taken.conflicts(&choice.operation(option)) {
                    let actor = choice.actor(option);
                    self.pending
                        .retain(|e| e.option != action || e.actor != actor);
                }
            }
        }
        best.0
    }

    fn quiet(&mut self, _next: &Choice<'_>) -> Quiet {
        Quiet::Ask
    }

    fn observes(&self) -> bool {
        true
    }

    /// What happens is pending no more, chosen or not.
    fn observe(&mut self, view: &dyn View, action: Action) {
        let actor = view.actor(action);
        self.pending.retain(|e| e.actor != actor);
    }
}
