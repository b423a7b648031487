//! Which accesses race: scheduling points beside the calls at `sync` granularity.
//!
//! As in SCTBench (Thomson, Donaldson, Betts, PPoPP 2014), a few runs are watched first. The watcher
//! needs not see two accesses meet, only that no lock guards both and nothing hands over from one to
//! the other, so few runs are enough; but code that none of them reaches stays unknown.

use std::collections::BTreeSet;

use crate::campaign::Case;
use crate::choice::strategy::{Hints, Random, Replay, RoundRobin, Strategy, find};
use crate::choice::{Moves, Scope, World};
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
pub fn racy(case: &Case, world: World) -> Result<BTreeSet<u64>, BootError> {
    let scope = Scope {
        world,
        ..Granularity::Access.into()
    };
    let mut machine = case.boot(scope, Watch::Recording)?;
    let booted = machine.snapshot();
    let priorities = find("pct2").expect("it is in the list");
    let mut found = BTreeSet::new();
    let mut hints = Hints::default();
    let (mut last, mut spent) = (0, 0);
    for seed in 0..MOST {
        machine.restore(&booted);
        let ended = machine.run(match seed % 4 {
            // Who is first at each choice goes on as long as it can, and then the others.
            0 => Box::new(Replay::new(Moves(vec![(1 + seed / 4, 1)]))) as Box<dyn Strategy>,
            1 => Box::new(RoundRobin::new(1 + seed / 4)),
            // Of many threads, one that is created late is ahead of all others in few random walks,
            // and what it does only then is seen in none. By priorities each is as often as another.
            2 => (priorities.make)(seed, &hints),
            _ => Box::new(Random::new(seed)),
        });
        hints.choices = hints.choices.max(ended.choices);
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
