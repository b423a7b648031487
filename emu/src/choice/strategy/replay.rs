//! Replay: a recorded schedule, and option 0 wherever it says nothing.

use super::{Quiet, Strategy};
use crate::choice::{Choice, Moves};

/// See the module.
pub struct Replay {
    moves: Moves,
    next: usize,
    /// Number of the first choice that did not have the recorded option.
    pub diverged: Option<u64>,
}

impl Replay {
    /// Replays `moves`.
    pub fn new(moves: Moves) -> Replay {
        Replay {
            moves,
            next: 0,
            diverged: None,
        }
    }
}

impl Strategy for Replay {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        match self.moves.0.get(self.next) {
            Some(&(number, option)) if number == choice.number => {
                self.next += 1;
                if option as usize >= choice.options.len() {
                    self.diverged.get_or_insert(choice.number);
                    return 0;
                }
                option as usize
            }
            Some(&(number, _)) if number < choice.number => {
                self.next += 1;
                self.diverged.get_or_insert(number);
                0
            }
            _ => 0,
        }
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        match self.moves.0.get(self.next) {
            Some(&(at, _)) if at >= next.number => Quiet::Pass(at - next.number),
            Some(_) => Quiet::Ask,
            None => Quiet::Forever,
        }
    }

    fn foresees(&self) -> bool {
        true
    }
}
