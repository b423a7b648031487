//! Follows a schedule to its last move, then takes option 0, and notes what else was possible there.

use crate::choice::strategy::Quiet;
use crate::choice::{Choice, Deviation, Moves, Strategy};

/// A choice behind the last move, at which option 0 was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub number: u64,
    /// What taking each of its options would have meant.
    pub options: Vec<Deviation>,
}

/// See the module.
pub struct Follow {
    moves: Moves,
    next: usize,
    /// What was passed behind the last move.
    pub nodes: Vec<Node>,
    /// A move could not be made: the schedule is of another machine.
    pub diverged: bool,
}

impl Follow {
    /// Follows `moves`.
    pub fn new(moves: Moves) -> Follow {
        Follow {
            moves,
            next: 0,
            nodes: Vec::new(),
            diverged: false,
        }
    }

    /// The schedule that is followed.
    pub fn moves(&self) -> &Moves {
        &self.moves
    }
}

impl Strategy for Follow {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        match self.moves.0.get(self.next) {
            Some(&(number, option)) if number == choice.number => {
                self.next += 1;
                self.diverged |= option as usize >= choice.options.len();
                option as usize
            }
            Some(_) => 0,
            None => {
                self.nodes.push(Node {
                    number: choice.number,
                    options: (0..choice.options.len())
                        .map(|option| choice.deviation(option))
                        .collect(),
                });
                0
            }
        }
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        match self.moves.0.get(self.next) {
            Some(&(at, _)) if at >= next.number => Quiet::Pass(at - next.number),
            _ => Quiet::Ask,
        }
    }
}
