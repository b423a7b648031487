//! Searching the schedules of a case: what to run next, what came of it, and how much that proves.
//!
//! A [`Search`] hands out [`Task`]s in batches and learns from the results in the order in which it
//! handed them out, so that neither the number of workers nor their speed reaches a result.

mod anchored;
mod dfs;
mod directed;
mod dpor;
mod drive;
mod follow;
mod order;
mod placement;
mod portfolio;
mod racy;
mod sampler;
mod seen;
mod shrink;
mod signature;
mod start;
mod survival;
mod tally;

pub use dfs::{Bound, Dfs};
pub use dpor::Dpor;
pub use drive::{Limits, Progress, drive};
pub use follow::{Classes, Follow, Node};
pub use placement::{Placement, Placements, Placing};
pub use portfolio::Portfolio;
pub use racy::racy;
pub use sampler::{Sampler, profile};
pub use shrink::{Shrunk, shrink, shrink_best};
pub use signature::{Signature, signature};
pub use start::{Starts, starts};
pub use survival::{Judging, survived};
pub use tally::{Finding, Group, Tally};

use std::any::Any;

use crate::choice::Strategy;
use crate::machine::Ended;

/// One schedule to be run.
pub struct Task {
    /// Which strategy it is of.
    pub strategy: &'static str,
    /// Its seed, for a strategy that has one.
    pub seed: Option<u64>,
    /// What answers the choices.
    pub answers: Box<dyn Strategy>,
}

/// What came of a task.
pub struct Outcome {
    /// How the run ended.
    pub ended: Ended,
    /// How it ended, for grouping.
    pub signature: Signature,
    /// What about that is not as the scenario expects.
    pub problem: Option<String>,
    /// The strategy, with what it has learnt.
    pub answers: Box<dyn Any + Send>,
}

/// How far a search has come.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Coverage {
    /// Nothing is left to be run.
    pub exhausted: bool,
    /// The share of the space that has been seen, from 0 to 1, as far as it can be estimated.
    pub share: Option<f64>,
    /// Runs that turned out to be equivalent to earlier ones.
    pub redundant: u64,
    /// Fault placements, where those are searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placements: Option<Placements>,
}

/// What decides which schedules are run.
pub trait Search: Send {
    /// The next tasks, at most `most`. None: there is nothing left.
    fn next(&mut self, most: usize) -> Vec<Task>;

    /// Learns what came of a task. False if the run was equivalent to an earlier one and is not to
    /// be counted.
    fn learn(&mut self, outcome: &mut Outcome) -> bool;

    /// By what its runs are judged.
    fn judging(&self) -> Judging {
        Judging::default()
    }

    /// How far it has come.
    fn coverage(&self) -> Coverage;

    /// Everything that it needs to go on later, as text; between batches.
    fn save(&self) -> String;

    /// Goes on where the search that was saved as this text had come to. It must be one made alike.
    ///
    /// # Errors
    /// The text is no such search.
    fn resume(&mut self, saved: &str) -> Result<(), String>;
}
