//! Which accesses race: scheduling points beside the calls at `sync` granularity.
//!
//! As in SCTBench (Thomson, Donaldson, Betts, PPoPP 2014), a few runs are watched first. The watcher
//! needs not see two accesses meet, only that no lock guards both and nothing hands over from one to
//! the other, so few runs are enough; but code that none of them reaches stays unknown.

use std::collections::BTreeSet;

use crate::campaign::Case;
use crate::choice::strategy::{Random, Replay, RoundRobin, Strategy};
use crate::choice::{Kinds, Moves, Scope};
use crate::machine::{BootError, Granularity, Watch};
use crate::oracle::unprotected_pcs;

/// Runs without a new race after which no more are expected.
const QUIET: u64 = 96;
/// Runs at most.
const MOST: u64 = 512;
/// Instructions in all of them together, about.
const INSTRUCTIONS: u64 = 4_000_000;

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
    let (mut last, mut spent) = (0, 0);
    for seed in 0..MOST {
        machine.restore(&booted);
        machine.run(match seed % 3 {
            // Who is first at each choice goes on as long as it can, and then the others.
            0 => Box::new(Replay::new(Moves(vec![(1 + seed / 3, 1)]))) as Box<dyn Strategy>,
            1 => Box::new(RoundRobin::new(1 + seed / 3)),
            _ => Box::new(Random::new(seed)),
        });
        let before = found.len();
        found.extend(unprotected_pcs(&machine));
        if found.len() > before {
            last = seed;
        }
        spent += machine.retired();
        if seed - last >= QUIET || spent > INSTRUCTIONS {
            break;
        }
    }
    Ok(found)
}
