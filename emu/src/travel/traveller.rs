//! A machine that can be put at any moment of a run.

use std::sync::Arc;

use super::Record;
use crate::campaign::Case;
use crate::choice::strategy::Replay;
use crate::choice::{Moves, Scope};
use crate::machine::{BootError, Ended, Machine, Snapshot, Watch};
use crate::position::Position;

/// Instructions between two snapshots that are kept for the whole run.
const SPACING: u64 = 200_000;
/// Instructions before a moment at which snapshots are left on the way to it: who steps back from
/// there will want them.
const NEAR: [u64; 3] = [16_384, 1024, 64];
/// How many of those are kept.
const MOST_NEAR: usize = 48;

/// A machine and snapshots of its way. Going back is restoring one and replaying from there.
pub struct Traveller {
    machine: Machine,
    record: Arc<Record>,
    /// By position: those for the whole run. The first two are the start and the end of the boot,
    /// which is never run across: who is behind it comes from there.
    kept: Vec<Kept>,
    /// By position: those near where the machine has been, each with when it was last used.
    near: Vec<(Kept, u64)>,
    /// How often the machine was put somewhere.
    seeks: u64,
    /// How the run ended, where the machine is at its end.
    end: Option<Ended>,
}

struct Kept {
    at: Position,
    snapshot: Snapshot,
}

impl Traveller {
    /// A traveller for a run of `case`.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn new(
        case: &Case,
        scope: impl Into<Scope>,
        record: Arc<Record>,
    ) -> Result<Traveller, BootError> {
        let (mut machine, start) = case.boot_from_start(scope, Watch::Points)?;
        let first = Kept {
            at: record.first(),
            snapshot: start,
        };
        let booted = Kept {
            at: record.booted(),
            snapshot: machine.snapshot(),
        };
        Ok(Traveller {
            kept: vec![first, booted],
            near: Vec::new(),
            seeks: 0,
            record,
            machine,
            end: None,
        })
    }

    /// The run that it walks.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The machine, where it was put.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Puts the machine at the last moment that is not behind `to`; where that is inside a kernel
    /// call, behind the call. At the last position of the run that is its end, and how it ended is
    /// given.
    pub fn seek(&mut self, to: Position) -> Option<&Ended> {
        self.seeks += 1;
        self.start_before(to);
        for (stop, far) in self.stops(to) {
            self.go_on(Some(stop));
            if self.end.is_some() {
                return self.end.as_ref();
            }
            self.keep(far);
        }
        if self.end.is_none() {
            self.go_on((to < self.record.last()).then_some(to));
        }
        self.end.as_ref()
    }

    /// Restores what is nearest before a position, unless the machine is nearer by itself.
    fn start_before(&mut self, to: Position) {
        let here = match self.end {
            Some(_) => Position {
                choice: u64::MAX,
                step: 0,
            },
            None => self.machine.position(),
        };
        let kept = self.kept.partition_point(|k| k.at <= to).max(1) - 1;
        let near = self
            .near
            .partition_point(|(k, _)| k.at <= to)
            .checked_sub(1);
        let near = near.filter(|&i| self.near[i].0.at > self.kept[kept].at);
        let nearest = match near {
            Some(i) => {
                self.near[i].1 = self.seeks;
                &self.near[i].0
            }
            None => &self.kept[kept],
        };
        if here > to || here < nearest.at {
            self.machine.restore(&nearest.snapshot);
            self.end = None;
        }
    }

    /// The moments between the machine and `to` at which snapshots are to be left, and which of
    /// them are for the whole run.
    fn stops(&self, to: Position) -> Vec<(Position, bool)> {
        let first = self.record.first();
        let (here, goal) = (self.machine.retired(), self.record.retired(to));
        if self.end.is_some() || goal <= here {
            return Vec::new();
        }
        let next = here - here % SPACING + SPACING;
        let far = (0..)
            .map(|i| next + i * SPACING)
            .take_while(|&at| at < goal);
        let near = NEAR.iter().filter_map(|&d| goal.checked_sub(d));
        let all = far.map(|at| (at, true)).chain(near.map(|at| (at, false)));
        let mut stops: Vec<(Position, bool)> = all
            .map(|(at, far)| (self.record.without_reservation(at), far))
            .filter(|&(at, _)| at > here)
            .map(|(at, far)| (self.record.moment(at), far))
            .filter(|&(at, _)| first < at && at < to)
            .collect();
        stops.sort_unstable();
        stops.dedup_by_key(|(at, _)| *at);
        stops
    }

    fn go_on(&mut self, to: Option<Position>) {
        let made = self.machine.state.choices;
        let moves = &self.record.ended.moves.0;
        let left = moves.partition_point(|&(number, _)| number <= made);
        let answers = Box::new(Replay::new(Moves(moves[left..].to_vec())));
        self.end = match to {
            Some(to) => self.machine.run_to(answers, to),
            None => Some(self.machine.run(answers)),
        };
    }

    /// Leaves a snapshot here, for the whole run or for a while.
    fn keep(&mut self, far: bool) {
        let at = self.machine.position();
        if far {
            let index = self.kept.partition_point(|k| k.at < at);
            if self.kept.get(index).is_none_or(|k| k.at != at) {
                let snapshot = self.machine.snapshot();
                self.kept.insert(index, Kept { at, snapshot });
            }
            return;
        }
        let index = self.near.partition_point(|(k, _)| k.at < at);
        if self.near.get(index).is_some_and(|(k, _)| k.at == at) {
            return;
        }
        let snapshot = self.machine.snapshot();
        self.near.insert(index, (Kept { at, snapshot }, self.seeks));
        if self.near.len() > MOST_NEAR {
            let oldest = (0..self.near.len()).min_by_key(|&i| self.near[i].1);
            self.near.remove(oldest.expect("it is not empty"));
        }
    }
}
