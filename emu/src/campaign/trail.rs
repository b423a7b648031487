//! Moments on the way of the last schedule that was followed, so that the next one, which mostly
//! begins alike, starts from the last of them that both have.
//!
//! Where a run starts from changes how long it takes and nothing else. A search that goes depth first
//! hands out the schedules that leave a run at its last choices before those that leave it earlier,
//! so what the trail keeps is always the way to where the search is.

use crate::machine::{Machine, Snapshot};

/// Moments that are kept of a way, about. Half the distance between two is what a run goes for
/// nothing; a moment costs the memory that was written since the one before, and to take one costs
/// some twentieth of a run of the founding cases, shared by all runs that start there.
const MOMENTS: u64 = 16;
/// Choices between two moments, at least.
const LEAST: u64 = 8;
/// Instructions of a run from which on moments are worth it. A moment costs what some thousand
/// instructions do: every page has to be looked up and every store to one heard of again.
const WORTH: u64 = 10_000;
/// Moments that are kept at once, at most.
const MOST: usize = 2 * MOMENTS as usize;

/// A move: the number of its choice, and the option taken.
type Move = (u64, u32);

/// See the module.
#[derive(Default)]
pub(super) struct Trail {
    /// In the order of the way.
    kept: Vec<Kept>,
    /// Choices of the longest run so far, and instructions of the longest.
    longest: u64,
    instructions: u64,
}

struct Kept {
    /// Choices answered.
    choices: u64,
    /// Moves among them.
    moves: Vec<Move>,
    snapshot: Snapshot,
}

impl Trail {
    /// Forgets what is not on the way that `moves` go, before the last of them.
    pub(super) fn retreat(&mut self, moves: &[Move]) {
        while let Some(last) = self.kept.last()
            && !last.leads_to(moves)
        {
            self.kept.pop();
        }
    }

    /// The last moment, and how many moves come before it.
    pub(super) fn last(&self) -> Option<(&Snapshot, usize)> {
        let last = self.kept.last()?;
        Some((&last.snapshot, last.moves.len()))
    }

    /// The choice before which the next moment is to be kept, if the way to the last of `moves` is
    /// long enough for another one behind `choices` choices.
    pub(super) fn next(&self, choices: u64, moves: &[Move]) -> Option<u64> {
        let &(last, _) = moves.last()?;
        let next = choices + (self.longest / MOMENTS).max(LEAST);
        let room = self.instructions >= WORTH && self.kept.len() < MOST;
        (next < last && room).then_some(next)
    }

    /// Keeps the moment at which `machine` is, on the way that `moves` go.
    pub(super) fn keep(&mut self, machine: &mut Machine, moves: &[Move]) {
        let choices = machine.position().choice;
        let kept = Kept {
            choices,
            moves: moves[..made(moves, choices)].to_vec(),
            snapshot: machine.snapshot(),
        };
        if kept.leads_to(moves) {
            self.kept.push(kept);
        }
    }

    /// A run has ended after so many choices and instructions, those before it began included.
    pub(super) fn ended(&mut self, choices: u64, instructions: u64) {
        self.longest = self.longest.max(choices);
        self.instructions = self.instructions.max(instructions);
    }
}

impl Kept {
    /// Whether a run that makes `moves` comes by here before the last of them.
    fn leads_to(&self, moves: &[Move]) -> bool {
        let before_last = moves.last().is_some_and(|&(last, _)| self.choices < last);
        before_last && moves[..made(moves, self.choices)] == self.moves
    }
}

/// How many of `moves` are among the first so many choices.
fn made(moves: &[Move], choices: u64) -> usize {
    moves.partition_point(|&(number, _)| number <= choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_counted_by_the_choices_answered() {
        let moves = [(3, 1), (7, 2)];
        assert_eq!(
            [0, 2, 3, 6, 7, 9].map(|c| made(&moves, c)),
            [0, 0, 1, 1, 2, 2]
        );
    }

    #[test]
    fn moments_lie_before_the_last_move() {
        let mut trail = Trail::default();
        trail.ended(5, WORTH - 1);
        assert_eq!(trail.next(0, &[(LEAST + 1, 1)]), None);
        trail.ended(5, WORTH);
        assert_eq!(trail.next(0, &[]), None);
        assert_eq!(trail.next(0, &[(LEAST, 1)]), None);
        assert_eq!(trail.next(0, &[(LEAST + 1, 1)]), Some(LEAST));
        trail.ended(MOMENTS * 100, 0);
        trail.ended(5, 0);
        assert_eq!(trail.next(50, &[(4, 1), (200, 1)]), Some(150));
        assert_eq!(trail.next(50, &[(4, 1), (150, 1)]), None);
    }
}
