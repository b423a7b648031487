//! A search that leaves out equivalent schedules finds what the whole search finds. Needs `cargo
//! xtask drivers`.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};

use crate::still::{scope, search};
use crate::support::{Setting, case};
use emu::campaign::Campaign;
use emu::choice::{Scope, World};
use emu::machine::Granularity;
use emu::search::{Bound, Dfs, Outcome, Search, signature};

const SHAPES: &[(&str, &[Setting<'static>], u32)] = &[
    ("account", &[], 4),
    ("bluetooth", &[], 4),
    ("bluetooth", &[("pool", "true")], 4),
    ("counter", &[], 4),
    ("deadlock", &[], 4),
    ("port", &[], 4),
    ("reorder", &[], 2),
    ("stack", &[], 2),
    ("twostage", &[], 4),
    ("wronglock", &[("n", "2")], 2),
];

/// The ends of all runs of a search: how each ended, and what it has left in memory.
fn ends(campaign: &mut Campaign, dfs: &mut Dfs) -> (BTreeSet<(String, u64)>, u64) {
    let (mut ends, mut runs) = (BTreeSet::new(), 0);
    loop {
        let tasks = dfs.next(64);
        if tasks.is_empty() {
            assert!(dfs.coverage().exhausted);
            return (ends, runs);
        }
        for task in tasks {
            let (ended, answers) = campaign.run_and_return(task.answers);
            let machine = campaign.machine();
            let signature = signature(&ended.stop, machine).0;
            let mut memory = DefaultHasher::new();
            machine.memory.hash_into(&mut memory);
            ends.insert((format!("{signature:?}"), memory.finish()));
            let counted = dfs.learn(&mut Outcome {
                ended,
                signature,
                problem: None,
                answers,
            });
            runs += u64::from(counted);
        }
    }
}

/// A run that is made again, to list what was not kept of it, lists what would have been kept.
#[test]
fn what_is_listed_again_is_what_would_have_been_kept() {
    for (name, settings, bound) in [
        ("bluetooth", &[][..], Bound::preemptions(3)),
        ("twostage", &[], Bound::preemptions(3)),
        ("wronglock", &[("n", "2")], Bound::preemptions(2)),
        ("account", &[], Bound::preemptions(1).and_arrivals(1)),
    ] {
        let case = case(name, "amd64", settings);
        let mut scope = scope(&case);
        if bound.arrivals.is_some() {
            scope.world = World::OPEN;
        }
        let mut campaign = Campaign::new(&case, scope).unwrap_or_else(|e| panic!("{e}"));
        let kept = ends(&mut campaign, &mut Dfs::new(bound));
        for at_once in [1, 3] {
            let listed = ends(&mut campaign, &mut Dfs::new(bound).listing(0, at_once));
            assert_eq!(kept, listed, "{name}, {at_once}");
        }
    }
}

/// Everything that schedules within a bound can come to is come to by fewer of them, on each shape
/// and architecture: the same stops, and the same memory in the end.
#[test]
fn the_same_ends_are_reached() {
    for &(name, settings, preemptions) in SHAPES {
        for profile in ["amd64", "i386", "arm64"] {
            let case = case(name, profile, settings);
            let here = format!("{name} {settings:?} on {profile}");
            let mut campaign = Campaign::new(&case, scope(&case)).unwrap_or_else(|e| panic!("{e}"));
            let bound = Bound::preemptions(preemptions);
            let (all, whole) = ends(&mut campaign, &mut Dfs::new(bound));
            let (some, reduced) = ends(&mut campaign, &mut Dfs::new(bound).with_classes());
            assert_eq!(all.len(), some.len(), "{here}");
            assert_eq!(all, some, "{here}");
            assert!(reduced < whole, "{here}: nothing is left out");
        }
    }
}

/// A search goes on from what it has saved as if it had not been interrupted.
#[test]
fn an_interrupted_search_comes_to_the_same() {
    let case = case("twostage", "amd64", &[]);
    let scope = scope(&case);
    let bound = Bound::preemptions(3);
    let mut whole = Dfs::new(bound).with_classes();
    let all = search(&case, &scope, &mut whole, u64::MAX).schedules;
    let mut begun = Dfs::new(bound).with_classes();
    let first = search(&case, &scope, &mut begun, 5).schedules;
    let mut resumed = Dfs::new(bound).with_classes();
    resumed.resume(&begun.save()).expect("it was saved alike");
    let rest = search(&case, &scope, &mut resumed, u64::MAX).schedules;
    assert_eq!(first + rest, all);
    assert_eq!(resumed.coverage(), whole.coverage());
}

/// With the outside world coming as soon as it can, the founding drivers stop within two
/// preemptions and nothing else, and the fixed ones do not within one.
#[test]
fn a_fixed_driver_survives_what_is_searched() {
    let rounds = ("rounds", "1");
    for profile in ["i386", "alpha"] {
        let fixed = case("q252664", profile, &[rounds, ("driver", "fixed")]);
        let scope = Scope {
            world: World::PROMPT,
            ..Granularity::Sync.into()
        };
        let mut dfs = Dfs::new(Bound::preemptions(1)).with_classes();
        let tally = search(&fixed, &scope, &mut dfs, u64::MAX);
        assert!(dfs.coverage().exhausted && tally.schedules > 100);
        assert_eq!(tally.stops(), 0, "on {profile}");
    }
}
