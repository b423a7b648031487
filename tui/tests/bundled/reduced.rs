//! A search that leaves out equivalent schedules finds what the whole search finds. Needs `cargo
//! xtask drivers`.

use crate::still::{scope, search, signatures};
use crate::support::{Setting, case};
use emu::choice::{Scope, World};
use emu::machine::Granularity;
use emu::search::{Bound, Dfs, Search};

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

/// The same stops from fewer schedules, on each shape and architecture.
#[test]
fn the_same_stops_are_found() {
    for &(name, settings, preemptions) in SHAPES {
        for profile in ["amd64", "i386", "arm64"] {
            let case = case(name, profile, settings);
            let here = format!("{name} {settings:?} on {profile}");
            let scope = scope(&case);
            let bound = Bound::preemptions(preemptions);
            let mut whole = Dfs::new(bound);
            let mut reduced = Dfs::new(bound).with_classes();
            let all = search(&case, &scope, &mut whole, u64::MAX);
            let some = search(&case, &scope, &mut reduced, u64::MAX);
            assert!(whole.coverage().exhausted && reduced.coverage().exhausted);
            assert_eq!(signatures(&all), signatures(&some), "{here}");
            assert!(
                some.schedules < all.schedules,
                "{here}: nothing is left out"
            );
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
