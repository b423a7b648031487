//! A machine that can be put at any moment of a run.

use super::Record;
use crate::campaign::Case;
use crate::choice::strategy::Replay;
use crate::choice::{Moves, Scope};
use crate::machine::{BootError, Ended, Machine, Snapshot, Watch};
use crate::position::Position;

/// Instructions between two snapshots that are kept for the whole run.
const SPACING: u64 = 200_000;

/// A machine and snapshots of its way. Going back is restoring one and replaying from there.
pub struct Traveller {
    machine: Machine,
    moves: Moves,
    /// Instructions retired and position of each snapshot, in order. The first is the end of the
    /// boot.
    kept: Vec<(u64, Position, Snapshot)>,
    /// Positions at which snapshots are taken on the way.
    stations: Vec<Position>,
    /// How the run ended, where the machine is at its end.
    end: Option<Ended>,
}

impl Traveller {
    /// A traveller for a run of `case`.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn new(
        case: &Case,
        scope: impl Into<Scope>,
        record: &Record,
    ) -> Result<Traveller, BootError> {
        let mut machine = case.boot(scope, Watch::Points)?;
        let first = machine.snapshot();
        let start = record.retired(record.first());
        let end = record.path().len() as u64;
        let stations = (1..)
            .map(|i| start + i * SPACING)
            .take_while(|&at| at < end)
            .map(|at| record.moment(at));
        Ok(Traveller {
            stations: stations.collect(),
            kept: vec![(start, record.first(), first)],
            moves: record.ended.moves.clone(),
            machine,
            end: None,
        })
    }

    /// Puts the machine at the last moment that is not behind `to`; where that is inside a kernel
    /// call, behind it. Gives how the run ended if it ends there.
    pub fn seek(&mut self, to: Position) -> Option<&Ended> {
        let here = self.machine.position();
        let nearest = self.kept.partition_point(|(_, at, _)| *at <= to).max(1) - 1;
        // Going on from here is right if here is not behind the goal, and no snapshot is nearer.
        if here > to || here < self.kept[nearest].1 || self.end.is_some() {
            let snapshot = self.kept[nearest].2.clone();
            self.machine.restore(&snapshot);
            self.end = None;
        }
        while self.end.is_none() {
            let here = self.machine.position();
            let next = self.stations.partition_point(|at| *at <= here);
            match self.stations.get(next) {
                Some(&station) if station <= to => {
                    self.go_on(station);
                    self.keep();
                }
                _ => {
                    self.go_on(to);
                    break;
                }
            }
        }
        self.end.as_ref()
    }

    fn go_on(&mut self, to: Position) {
        let made = self.machine.state.choices;
        let left = self.moves.0.partition_point(|&(number, _)| number <= made);
        let answers = Box::new(Replay::new(Moves(self.moves.0[left..].to_vec())));
        self.end = self.machine.run_to(answers, to);
    }

    fn keep(&mut self) {
        if self.end.is_some() {
            return;
        }
        let at = self.machine.position();
        let index = self.kept.partition_point(|(_, kept, _)| *kept < at);
        if self.kept.get(index).is_none_or(|(_, kept, _)| *kept != at) {
            let snapshot = self.machine.snapshot();
            self.kept
                .insert(index, (self.machine.retired(), at, snapshot));
        }
    }

    /// The machine, where it was put.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }
}
