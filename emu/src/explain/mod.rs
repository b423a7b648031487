//! Why a run ended as it did: the run again, recorded, and the story told from the record.

mod fill;
pub mod names;
mod other_order;
mod slice;
mod why;

pub use names::MachineNames;

use crate::campaign::{Campaign, Case};
use crate::choice::strategy::Replay;
use crate::choice::{Moves, Scope};
use crate::machine::{BootError, Ended, Machine, Watch};
use crate::report::Report;

/// What the caller knows about a run and the machine does not.
#[derive(Clone, Debug, Default)]
pub struct RunHeader {
    /// Seed of the strategy.
    pub seed: u64,
    /// Name of the strategy.
    pub strategy: String,
    /// The command line that runs it again.
    pub replay_line: String,
}

/// A run, recorded and explained.
pub struct Explained {
    /// The machine as the run left it, with its record.
    pub machine: Machine,
    /// How the run ended.
    pub ended: Ended,
    /// Everything to be told.
    pub report: Report,
}

/// Runs a schedule again, recording, and explains it. The other order of what races is tried as well.
///
/// # Errors
/// See [`BootError`].
pub fn explain(
    case: &Case,
    scope: impl Into<Scope>,
    moves: &Moves,
    header: &RunHeader,
) -> Result<Explained, BootError> {
    let scope = scope.into();
    let mut machine = case.boot(scope.clone(), Watch::Recording)?;
    let ended = machine.run(Box::new(Replay::new(moves.clone())));
    let mut findings = fill::findings(&machine, &ended);
    if findings.iter().any(|f| f.oracle == "race") {
        let mut campaign = Campaign::new(case, scope)?;
        other_order::fill(&mut campaign, moves, &ended, &mut findings);
    }
    let report = fill::report(&machine, &ended, header, &findings);
    Ok(Explained {
        machine,
        ended,
        report,
    })
}
