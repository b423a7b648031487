//! Round robin: what could have happened takes turns with what runs, every few choices.

use super::{Quiet, Strategy, StrategyKind};
use crate::choice::Choice;

pub(super) const KIND: StrategyKind = StrategyKind {
    name: "round-robin",
    help: "the options take turns; the seed is the number of choices a turn lasts (0: 16)",
    make: |seed, _| Box::new(RoundRobin::new(if seed == 0 { 16 } else { seed })),
    wants_hints: false,
};

/// See the module.
pub struct RoundRobin {
    turn: u64,
    left: u64,
    next: usize,
}

impl RoundRobin {
    /// Turns of `turn` choices.
    pub fn new(turn: u64) -> RoundRobin {
        RoundRobin {
            turn,
            left: turn,
            next: 0,
        }
    }

    fn deviate(&mut self, options: usize) -> usize {
        self.left = self.turn;
        self.next += 1;
        1 + self.next % (options - 1)
    }
}

impl Strategy for RoundRobin {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        if choice.announced || self.left == 0 {
            return self.deviate(choice.options.len());
        }
        self.left -= 1;
        0
    }

    fn quiet(&mut self, _next: &Choice<'_>) -> Quiet {
        Quiet::Ask
    }
}
