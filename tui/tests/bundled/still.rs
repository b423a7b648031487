//! The machine as schedules are counted on it: choices at calls and at accesses that race, and the
//! outside world held still.

use emu::campaign::Case;
use emu::choice::{Scope, World};
use emu::machine::Granularity;
use emu::search::{Limits, Search, Signature, Tally, drive, racy};
use std::collections::BTreeSet;

/// What is left open.
#[track_caller]
pub fn scope(case: &Case) -> Scope {
    Scope {
        granularity: Granularity::Sync,
        world: World::HELD,
        racy: racy(case, World::HELD).unwrap_or_else(|e| panic!("{e}")),
    }
}

/// Runs a search to its end, or until so many schedules have been run.
#[track_caller]
pub fn search(case: &Case, scope: &Scope, search: &mut dyn Search, most: u64) -> Tally {
    let mut tally = Tally::default();
    let limits = Limits {
        schedules: most,
        until_first: false,
    };
    let driven = drive(case, scope, search, &mut tally, limits, 2, |_| true);
    driven.unwrap_or_else(|e| panic!("{e}"));
    tally
}

/// All schedules, and those that do not complete.
pub fn counts(tally: &Tally) -> (u64, u64) {
    (tally.schedules, tally.stops())
}

/// The ways in which runs ended.
pub fn signatures(tally: &Tally) -> BTreeSet<&Signature> {
    tally.groups.iter().map(|g| &g.signature).collect()
}
