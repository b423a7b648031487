//! Which accesses race: scheduling points beside the calls at `sync` granularity.
//!
//! As in SCTBench and CHESS, a few runs are watched by the race detector first. It needs not see the
//! two accesses meet, only that nothing orders them, so few runs are enough; but code that none of
//! them reaches stays unknown.

use std::collections::BTreeSet;

use crate::campaign::Case;
use crate::choice::strategy::Random;
use crate::choice::{Kinds, Scope};
use crate::machine::{BootError, Granularity, Watch};
use crate::oracle::racy_pcs;

/// Runs without a new race after which no more are expected.
const QUIET: u64 = 8;
/// Runs at most.
const MOST: u64 = 64;

/// The addresses of the instructions that race in some runs of the case.
///
/// # Errors
/// See [`BootError`].
pub fn racy(case: &Case, held: Kinds) -> Result<BTreeSet<u64>, BootError> {
    let scope = Scope {
        held,
        ..Granularity::Access.into()
    };
    let mut machine = case.boot(scope, Watch::Recording)?;
    let booted = machine.snapshot();
    let mut found = BTreeSet::new();
    let mut last = 0;
    for seed in 0..MOST {
        machine.restore(&booted);
        machine.run(Box::new(Random::new(seed)));
        let before = found.len();
        found.extend(racy_pcs(&machine));
        if found.len() > before {
            last = seed;
        }
        if seed - last >= QUIET {
            break;
        }
    }
    Ok(found)
}
