//! Random walk: at every choice each option with the same probability.

use super::{Quiet, Strategy, StrategyKind};
use crate::choice::Choice;

pub(super) const KIND: StrategyKind = StrategyKind {
    name: "random",
    help: "random walk: every option of every choice is equally likely",
    make: |seed| Box::new(Random::new(seed)),
};

/// See the module.
pub struct Random {
    state: u64,
}

impl Random {
    /// The walk of a seed.
    pub fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): the
    /// stream is part of what a seed means, so it must never change under us.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

impl Strategy for Random {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        match choice.announced {
            true => 1 + self.below(choice.options.len() - 1),
            false => self.below(choice.options.len()),
        }
    }

    fn quiet(&mut self, _number: u64, options: usize) -> Quiet {
        let mut n = 0;
        while self.below(options) == 0 {
            n += 1;
        }
        Quiet::Pass(n)
    }
}
