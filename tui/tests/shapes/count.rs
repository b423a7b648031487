//! Counts over all schedules of a shape.

use super::model::{Program, Shape, State, Status, Variation};

/// What a search has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Schedules, or traces.
    pub total: u64,
    /// Those that show the bug.
    pub buggy: u64,
    /// The number of the first of them, from 1.
    pub first: Option<u64>,
    /// Steps of the longest.
    pub steps: u64,
}

impl Count {
    /// One more.
    pub fn add(&mut self, bug: bool, steps: usize) {
        self.total += 1;
        self.steps = self.steps.max(steps as u64);
        if bug {
            self.buggy += 1;
            self.first.get_or_insert(self.total);
        }
    }
}

/// All schedules of a shape, and how many of them show the bug.
pub fn count(shape: &Shape, varied: &[Variation]) -> (u64, u64) {
    let count = search(shape, varied, u64::MAX);
    (count.total, count.buggy)
}

/// The first schedules of a shape, at most `most`, depth first.
pub fn search(shape: &Shape, varied: &[Variation], most: u64) -> Count {
    let program = Program::new(shape, varied);
    let (state, status) = program.start();
    let mut count = Count::default();
    below(&mut count, &state, status, 0, most);
    count
}

fn below(count: &mut Count, state: &State, status: Status, depth: usize, most: u64) {
    if count.total >= most {
        return;
    }
    if status != Status::Running {
        return count.add(status == Status::Bug, depth);
    }
    let mut enabled = Vec::new();
    state.enabled_in_turn(&mut enabled);
    for t in enabled {
        let mut next = state.clone();
        let status = next.step(t);
        below(count, &next, status, depth + 1, most);
    }
}
