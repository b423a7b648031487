//! One run from beginning to end: search it with a strategy or follow a schedule, then explain it.

use std::cell::OnceCell;
use std::sync::Arc;

use emu::campaign::Campaign;
use emu::choice::strategy::{Hints, Replay, StrategyKind};
use emu::choice::{Moves, Scope, Strategy, World};
use emu::explain::{Explained, RunHeader, explain};
use emu::machine::{Ended, Granularity};
use emu::scenario::Selection;
use emu::search;
use emu::stop::Stop;
use emu::travel::{Record, Traveller};

use crate::case::{self, Loaded};
use crate::catalogue::{self, Source};
use crate::failure::{Failure, Outcome};
use crate::replay_line::{Answers, replay_line};

/// Seeds that are tried in search of a stop.
pub const TRIES: u64 = 10_000;

/// A scenario with every choice made: what every run of it needs.
pub struct Session {
    /// The scenario.
    pub source: Source,
    /// What the user chose.
    pub selection: Selection,
    /// The case.
    pub loaded: Loaded,
    /// Which decisions are left open.
    pub scope: Scope,
    /// What of that the user asked for.
    pub openness: Openness,
    /// What runs show to strategies that want to know; found out once.
    hints: OnceCell<Hints>,
}

/// Which decisions the user leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Openness {
    /// How often the outside world decides.
    pub granularity: Granularity,
    /// Kinds of choices that are none.
    pub world: World,
    /// Accesses that race are scheduling points at `sync` granularity, too.
    pub races: bool,
}

impl From<Granularity> for Openness {
    fn from(granularity: Granularity) -> Openness {
        Openness {
            granularity,
            world: World::OPEN,
            races: false,
        }
    }
}

impl Session {
    /// Finds the scenario, makes the choices and loads the drivers.
    ///
    /// # Errors
    /// See [`catalogue::find`] and [`case::load`].
    pub fn new(
        scenario: &str,
        selection: Selection,
        openness: impl Into<Openness>,
    ) -> Outcome<Session> {
        Session::of(catalogue::find(scenario)?, selection, openness)
    }

    /// The same with a scenario that has been found or made.
    ///
    /// # Errors
    /// See [`case::load`].
    pub fn of(
        source: Source,
        selection: Selection,
        openness: impl Into<Openness>,
    ) -> Outcome<Session> {
        let openness = openness.into();
        let loaded = case::load(&source, &selection)?;
        let racy = match openness.races {
            true => search::racy(&loaded.case, openness.world)
                .map_err(|error| Failure::at(&source.name, error))?,
            false => Default::default(),
        };
        Ok(Session {
            source,
            selection,
            loaded,
            scope: Scope {
                granularity: openness.granularity,
                world: openness.world,
                racy,
            },
            openness,
            hints: OnceCell::new(),
        })
    }

    /// What a strategy of that kind is told of the runs before its own.
    ///
    /// # Errors
    /// The machine does not boot.
    pub fn hints(&self, kind: &StrategyKind) -> Outcome<Hints> {
        if !kind.wants_hints {
            return Ok(Hints::default());
        }
        if let Some(hints) = self.hints.get() {
            return Ok(hints.clone());
        }
        let hints = search::profile(&mut self.campaign()?);
        Ok(self.hints.get_or_init(|| hints).clone())
    }

    /// The strategy that runs a seed.
    ///
    /// # Errors
    /// The machine does not boot.
    pub fn strategy(&self, kind: &StrategyKind, seed: u64) -> Outcome<Box<dyn Strategy>> {
        Ok((kind.make)(seed, &self.hints(kind)?))
    }

    /// The line that runs it again with these answers.
    pub fn replay_line(&self, answers: Answers<'_>) -> String {
        let (source, plan) = (&self.source, &self.loaded.case.plan);
        let options = (&*self.selection.faults, &*self.selection.rules);
        replay_line(
            &source.call,
            &source.scenario,
            plan,
            options,
            self.openness,
            answers,
        )
    }

    /// A machine that has booted and can run schedules.
    ///
    /// # Errors
    /// The machine does not boot.
    pub fn campaign(&self) -> Outcome<Campaign> {
        Campaign::new(&self.loaded.case, self.scope.clone()).map_err(|error| self.failure(&error))
    }

    /// A machine that can be put at any moment of a recorded run.
    ///
    /// # Errors
    /// The machine does not boot.
    pub fn traveller(&self, record: Arc<Record>) -> Outcome<Traveller> {
        Traveller::new(&self.loaded.case, self.scope.clone(), record)
            .map_err(|error| self.failure(&error))
    }

    /// What is wrong with a machine that does not boot.
    pub fn failure(&self, error: &emu::machine::BootError) -> Failure {
        Failure::at(&self.source.name, error)
    }

    /// The first seed from `from` on whose run does not complete; `from` if none of the next
    /// [`TRIES`] does.
    ///
    /// # Errors
    /// The machine does not boot.
    pub fn stopping_seed(&self, strategy: &StrategyKind, from: u64) -> Outcome<u64> {
        let mut campaign = self.campaign()?;
        let hints = self.hints(strategy)?;
        let mut stops = |seed: &u64| {
            let ended = campaign.run((strategy.make)(*seed, &hints));
            ended.stop != Stop::Completed
        };
        let seeds = from..from.saturating_add(TRIES);
        Ok(seeds.into_iter().find(|seed| stops(seed)).unwrap_or(from))
    }

    /// What a report says about the run of a seed.
    pub fn header(&self, strategy: &str, seed: u64) -> RunHeader {
        let name = strategy;
        RunHeader {
            seed,
            strategy: name.to_owned(),
            replay_line: self.replay_line(Answers::Strategy { name, seed }),
        }
    }

    /// Runs a seed of a strategy.
    ///
    /// # Errors
    /// The machine does not boot.
    pub fn run_seed(&self, strategy: &StrategyKind, seed: u64) -> Outcome<Explained> {
        let ended = self.campaign()?.run(self.strategy(strategy, seed)?);
        self.explain(&ended, &self.header(strategy.name, seed))
    }

    /// Runs a schedule; `place` names it in messages.
    ///
    /// # Errors
    /// The machine does not boot, or the schedule makes moves that the machine does not offer.
    pub fn run_moves(&self, moves: &Moves, place: &str, header: &RunHeader) -> Outcome<Explained> {
        let ended = self.campaign()?.run(Box::new(Replay::new(moves.clone())));
        if let Some(problem) = misfit(moves, &ended) {
            let mend = "record the run again: the schedule belongs to another case or granularity";
            return Err(Failure::at(place, problem).mend(mend));
        }
        self.explain(&ended, header)
    }

    /// Runs a schedule whose moves may not all be there; what was not, if something was not.
    ///
    /// # Errors
    /// The machine does not boot.
    pub fn run_as_far_as_possible(
        &self,
        moves: &Moves,
        header: &RunHeader,
    ) -> Outcome<(Explained, Option<String>)> {
        let ended = self.campaign()?.run(Box::new(Replay::new(moves.clone())));
        Ok((self.explain(&ended, header)?, misfit(moves, &ended)))
    }

    /// Runs what has ended once more, recording, and explains it.
    ///
    /// # Errors
    /// The machine does not boot.
    pub fn explain(&self, ended: &Ended, header: &RunHeader) -> Outcome<Explained> {
        let explained = explain(&self.loaded.case, self.scope.clone(), &ended.moves, header)
            .map_err(|error| self.failure(&error))?;
        if explained.ended.trace_hash != ended.trace_hash {
            // Never a wrong answer: what cannot be repeated cannot be explained.
            return Err(Failure::at(
                &self.source.name,
                format!(
                    "the run could not be repeated (trace {:016x}, then {:016x}; {:?}, then {:?}): \
                     a defect of irqlab, please report it with this line: {}",
                    ended.trace_hash,
                    explained.ended.trace_hash,
                    ended.stop,
                    explained.ended.stop,
                    header.replay_line
                ),
            ));
        }
        Ok(explained)
    }
}

/// Why a run did not make the moves of its schedule, if it did not.
fn misfit(moves: &Moves, ended: &Ended) -> Option<String> {
    let made = &ended.moves.0;
    let differs = moves
        .0
        .iter()
        .enumerate()
        .find(|(i, wanted)| made.get(*i) != Some(wanted));
    let (_, (number, option)) = differs?;
    Some(match *number > ended.choices {
        true => format!(
            "the schedule moves at choice {number}, but the run ends after {} choices",
            ended.choices
        ),
        false => {
            format!("the schedule takes option {option} at choice {number}, which is not there")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use emu::stop::Stop;

    #[test]
    fn a_schedule_that_does_not_fit_is_told_apart() {
        let ended = Ended {
            stop: Stop::Completed,
            moves: Moves(vec![(3, 1), (7, 2)]),
            choices: 9,
            instructions: 100,
            trace_hash: 1,
        };
        assert_eq!(misfit(&Moves(vec![(3, 1), (7, 2)]), &ended), None);
        let missing = misfit(&Moves(vec![(3, 4), (7, 2)]), &ended).unwrap();
        assert!(missing.contains("option 4 at choice 3"), "{missing}");
        let late = misfit(&Moves(vec![(3, 1), (7, 2), (20, 1)]), &ended).unwrap();
        assert!(late.contains("choice 20"), "{late}");
    }
}
