//! The results of a search so far: how often runs ended how, and the first run of each kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Outcome, Signature};
use crate::choice::Moves;
use crate::machine::Ended;

/// The first run that ended in a certain way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which schedule of the search it was, from 1.
    pub schedule: u64,
    /// The strategy that found it.
    pub strategy: String,
    /// Its seed, if the strategy has one.
    pub seed: Option<u64>,
    /// The run, as text: see [`crate::choice::Moves`].
    pub moves: String,
    /// How many moves those are.
    pub length: u64,
    /// Choices of the run.
    pub choices: u64,
    /// Its trace hash.
    pub trace_hash: u64,
}

/// All runs that ended alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// How they ended.
    pub signature: Signature,
    /// How many.
    pub count: u64,
    /// Of those, how many each strategy found.
    pub by: BTreeMap<String, u64>,
    /// How many are not as the scenario expects.
    pub unexpected: u64,
    /// What is not, of the first of those.
    pub problem: Option<String>,
    /// The first.
    pub first: Finding,
    /// Those with the fewest moves, fewest first, at most three: where shrinking begins.
    pub short: Vec<Finding>,
}

impl Group {
    /// How many short runs are kept.
    const SHORT: usize = 3;

    /// The schedules of the short runs: where shrinking begins.
    pub fn shortest(&self) -> Vec<Moves> {
        let schedules = self.short.iter().map(|finding| finding.moves.parse());
        schedules.filter_map(Result::ok).collect()
    }

    /// Keeps a run if it is one of the shortest.
    fn keep(&mut self, finding: impl FnOnce() -> Finding, moves: u64) {
        let at = self.short.partition_point(|f| f.length <= moves);
        if at < Self::SHORT {
            self.short.insert(at, finding());
            self.short.truncate(Self::SHORT);
        }
    }

    fn note(&mut self, problem: &Option<String>) {
        if let Some(problem) = problem {
            self.unexpected += 1;
            self.problem.get_or_insert_with(|| problem.clone());
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Runs counted.
    pub schedules: u64,
    /// Choices in them.
    pub choices: u64,
    /// Instructions in them, the boot's not included.
    pub instructions: u64,
    /// Runs that completed.
    pub completed: u64,
    /// Runs of each strategy.
    pub by: BTreeMap<String, u64>,
    /// All runs by how they ended, in the order of the first of each kind.
    pub groups: Vec<Group>,
}

impl Tally {
    /// Counts a run. True if it is the first of a group.
    pub fn count(
        &mut self,
        strategy: &'static str,
        seed: Option<u64>,
        outcome: &Outcome,
        booted: u64,
    ) -> bool {
        let ended = &outcome.ended;
        self.schedules += 1;
        self.choices += ended.choices;
        self.instructions += ended.instructions.saturating_sub(booted);
        *self.by.entry(strategy.to_owned()).or_default() += 1;
        let signature = &outcome.signature;
        self.completed += u64::from(signature.is_completed());
        let known = self.groups.iter_mut().find(|g| g.signature == *signature);
        let length = ended.moves.0.len() as u64;
        let finding = || Finding::of(self.schedules, strategy, seed, ended);
        if let Some(group) = known {
            group.count += 1;
            group.note(&outcome.problem);
            if !signature.is_completed() {
                group.keep(finding, length);
            }
            *group.by.entry(strategy.to_owned()).or_default() += 1;
            return false;
        }
        let mut group = Group {
            signature: signature.clone(),
            count: 1,
            by: BTreeMap::from([(strategy.to_owned(), 1)]),
            unexpected: 0,
            problem: None,
            first: finding(),
            short: Vec::new(),
        };
        if !signature.is_completed() {
            group.keep(finding, length);
        }
        group.note(&outcome.problem);
        self.groups.push(group);
        true
    }

    /// Runs that did not complete.
    pub fn stops(&self) -> u64 {
        self.schedules - self.completed
    }
}

impl Finding {
    fn of(schedule: u64, strategy: &str, seed: Option<u64>, ended: &Ended) -> Finding {
        Finding {
            schedule,
            strategy: strategy.to_owned(),
            seed,
            moves: ended.moves.to_string(),
            length: ended.moves.0.len() as u64,
            choices: ended.choices,
            trace_hash: ended.trace_hash,
        }
    }
}
