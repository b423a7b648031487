//! Random walk: at every choice each option with the same probability.

use super::dice::Dice;
use super::{Quiet, Strategy, StrategyKind};
use crate::choice::Choice;

pub(super) const KIND: StrategyKind = StrategyKind {
    name: "random",
    help: "random walk: every option of every choice is equally likely",
    make: |seed, _| Box::new(Random::new(seed)),
    wants_hints: false,
};

/// See the module.
pub struct Random {
    dice: Dice,
}

impl Random {
    /// The walk of a seed.
    pub fn new(seed: u64) -> Random {
        Random {
            dice: Dice::new(seed),
        }
    }

    fn below(&mut self, n: usize) -> usize {
        self.dice.below(n)
    }
}

impl Strategy for Random {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        match choice.announced {
            true => 1 + self.below(choice.options.len() - 1),
            false => self.below(choice.options.len()),
        }
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        let mut n = 0;
        while self.below(next.options.len()) == 0 {
            n += 1;
        }
        Quiet::Pass(n)
    }
}
