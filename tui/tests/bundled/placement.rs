//! Faults are placed together with schedules: every opportunity once, a fault and a preemption that
//! only fail together, and allocations that fail. Needs `cargo xtask drivers`.

use std::collections::BTreeSet;

use emu::campaign::{Campaign, Case};
use emu::choice::strategy::{Hints, Replay, find};
use emu::choice::{ChoiceKind, Kinds, Moves};
use emu::machine::Granularity;
use emu::search::{Bound, Dfs, Limits, Placement, Placing, Sampler, Search, Tally, drive, shrink};

use crate::support::{CASES, case, case_with_faults};

const FIXED: [(&str, &str); 1] = [("driver", "fixed")];
const FAULT: Kinds = Kinds::NONE.with(ChoiceKind::Fault);

/// A search that places these kinds and then draws up to `fill` schedules.
fn search(kinds: Kinds, fill: u64) -> Placement {
    search_up_to(1, kinds, fill)
}

/// The same with so many placements in one schedule at most.
fn search_up_to(most: u32, kinds: Kinds, fill: u64) -> Placement {
    let placing = Placing {
        kinds,
        most,
        every: false,
        fill,
        oracles: false,
    };
    let random = find("random").expect("it is in the list");
    let drawing = Sampler::new(random, Hints::default(), 1, u64::MAX - 1);
    Placement::new(placing, Box::new(drawing))
}

#[track_caller]
fn run(
    case: &Case,
    granularity: Granularity,
    search: &mut dyn Search,
    tally: &mut Tally,
    schedules: u64,
    jobs: usize,
) {
    let limits = Limits {
        schedules,
        until_first: false,
    };
    let driven = drive(
        case,
        &granularity.into(),
        search,
        tally,
        limits,
        jobs,
        |_| true,
    );
    driven.unwrap_or_else(|e| panic!("{e}"));
}

/// How runs that are not as expected end.
fn findings(tally: &Tally) -> BTreeSet<String> {
    let bad = tally.groups.iter().filter(|g| g.unexpected > 0);
    bad.map(|g| g.signature.what.clone()).collect()
}

/// Neither the failure alone nor a preemption alone stops the driver; together they are found, and
/// nothing else is left when the schedule is shrunk.
#[test]
fn a_fault_and_a_preemption_fail_together() {
    for profile in ["amd64", "i386", "arm64"] {
        let case = case("reserve", profile, &[]);
        let mut alone = search(FAULT, 0);
        let mut tally = Tally::default();
        run(&case, Granularity::Access, &mut alone, &mut tally, 1000, 1);
        let placements = alone.coverage().placements.expect("they are counted");
        assert_eq!((placements.places, tally.stops()), (1, 0), "{profile}");

        let bound = Bound::preemptions(2).and_arrivals(0).and_faults(0);
        let mut tally = Tally::default();
        let mut calm = Dfs::new(bound);
        run(&case, Granularity::Access, &mut calm, &mut tally, 3000, 2);
        assert_eq!(tally.stops(), 0, "{profile}: without a fault");

        let mut tally = Tally::default();
        let mut both = search(FAULT, 1000);
        run(&case, Granularity::Access, &mut both, &mut tally, 1000, 2);
        let group = tally.groups.iter().find(|g| !g.signature.is_completed());
        let group = group.unwrap_or_else(|| panic!("{profile}: nothing is found"));
        let mut campaign = Campaign::new(&case, Granularity::Access).unwrap();
        let first: Moves = group.first.moves.parse().unwrap();
        let short = shrink(&mut campaign, &first, &group.signature).expect("it stops again");
        assert_eq!(
            (short.faults, short.preemptions, short.others),
            (1, 1, 0),
            "{profile}: {}",
            short.ended.moves
        );
        let again = campaign.run(Box::new(Replay::new(short.ended.moves.clone())));
        assert_eq!(again.trace_hash, short.ended.trace_hash, "{profile}");

        let fixed = crate::support::case("reserve", profile, &FIXED);
        let mut tally = Tally::default();
        run(
            &fixed,
            Granularity::Access,
            &mut search(FAULT, 1000),
            &mut tally,
            1000,
            2,
        );
        assert_eq!(tally.stops(), 0, "{profile}: the correct driver");
    }
}

/// Two faults of which neither stops the driver alone: each is placed, then both, and the pair is
/// shrunk to exactly the two.
#[test]
fn two_faults_fail_together() {
    for profile in ["amd64", "i386", "arm64"] {
        let search_pairs = |driver| {
            // The core stands still where the error path has given up its lock.
            let stall = "time.stall:function=reserve::send,line=39";
            let case = case_with_faults("reserve", profile, &[("driver", driver)], &[stall]);
            let mut tally = Tally::default();
            let mut pairs = search_up_to(2, FAULT, 0);
            run(&case, Granularity::Access, &mut pairs, &mut tally, 1000, 2);
            let coverage = pairs.coverage();
            let placements = coverage.placements.expect("they are counted");
            assert!(coverage.exhausted, "{profile} {driver}: {placements:?}");
            // The stall is an opportunity only where the allocation has failed.
            assert_eq!(placements.run, [1, 1], "{profile} {driver}");
            assert_eq!(placements.known, [1, 1], "{profile} {driver}");
            assert_eq!(tally.schedules, 3, "{profile} {driver}");
            (case, tally)
        };
        let (case, tally) = search_pairs("buggy");
        let group = tally.groups.iter().find(|g| !g.signature.is_completed());
        let group = group.unwrap_or_else(|| panic!("{profile}: nothing is found"));
        assert_eq!(group.count, 1, "{profile}");
        let mut campaign = Campaign::new(&case, Granularity::Access).unwrap();
        let first: Moves = group.first.moves.parse().unwrap();
        let short = shrink(&mut campaign, &first, &group.signature).expect("it stops again");
        assert_eq!(
            (short.faults, short.preemptions, short.others),
            (2, 0, 0),
            "{profile}: {}",
            short.ended.moves
        );
        let (_, tally) = search_pairs("fixed");
        assert_eq!(tally.stops(), 0, "{profile}: the correct driver");
    }
}

/// Any two allocations fail in one run: every pair is tried, and survived.
#[test]
fn every_pair_of_allocation_failures_is_survived() {
    let set = [("driver", "fixed"), ("rounds", "1")];
    let case = case_with_faults("q252664", "alpha", &set, &["pool.fail"]);
    let mut search = search_up_to(2, FAULT, 0);
    let mut tally = Tally::default();
    run(
        &case,
        Granularity::Sync,
        &mut search,
        &mut tally,
        u64::MAX,
        2,
    );
    let coverage = search.coverage();
    let placements = coverage.placements.expect("they are counted");
    println!("{placements:?}");
    assert!(coverage.exhausted);
    assert_eq!(placements.run, placements.known);
    let [single, pairs] = placements.run[..] else {
        panic!("{placements:?}")
    };
    assert_eq!(single, placements.places);
    assert!(single > 10 && pairs > single && pairs <= single * single);
    assert_eq!(tally.schedules, 1 + single + pairs);
    assert_eq!(findings(&tally), BTreeSet::new());
}

/// Every place is struck once, whatever the number of workers, and each run makes that one move.
#[test]
fn every_place_is_struck_once_on_any_number_of_workers() {
    let case = case_with_faults("kb931322", "amd64", &FIXED, &["pool.fail"]);
    let tallies = [1, 2, 3].map(|jobs| {
        let mut tally = Tally::default();
        let mut search = search(FAULT, 0);
        run(
            &case,
            Granularity::Access,
            &mut search,
            &mut tally,
            u64::MAX,
            jobs,
        );
        let coverage = search.coverage();
        let placements = coverage.placements.expect("they are counted");
        assert!(
            coverage.exhausted && placements.places > 5,
            "{placements:?}"
        );
        assert!(
            placements.opportunities > 3 * placements.places,
            "{placements:?}"
        );
        assert_eq!(placements.run, [placements.places]);
        assert_eq!(placements.run, placements.known);
        assert_eq!(tally.schedules, 1 + placements.places);
        tally
    });
    assert!(tallies.iter().all(|tally| *tally == tallies[0]));
    let lengths = tallies[0].groups.iter().map(|g| g.first.length);
    assert!(lengths.clone().all(|n| n <= 1) && lengths.sum::<u64>() > 0);
}

/// A search that goes on after its state was written comes to what one without a break does.
#[test]
fn a_search_that_was_saved_goes_on() {
    let case = case("reserve", "amd64", &[]);
    let both = |first: u64| {
        let mut tally = Tally::default();
        let mut before = search(FAULT, first);
        run(
            &case,
            Granularity::Access,
            &mut before,
            &mut tally,
            u64::MAX,
            1,
        );
        let mut after = search(FAULT, 260);
        after.resume(&before.save()).unwrap();
        run(
            &case,
            Granularity::Access,
            &mut after,
            &mut tally,
            u64::MAX,
            2,
        );
        tally
    };
    let (whole, broken) = (both(260), both(66));
    assert_eq!(whole.schedules, 260);
    assert_eq!(whole, broken);
}

/// Every raise of the IRQL, page-out and interrupt on the packet path: the correct drivers live, with
/// the same findings on every profile.
#[test]
fn correct_drivers_survive_every_single_placement() {
    let kinds = FAULT.with(ChoiceKind::Interrupt);
    for (name, profile) in CASES {
        let faults = ["irql.raise", "memory.page_out"];
        let case = case_with_faults(name, profile, &FIXED, &faults);
        let mut search = search(kinds, 0);
        let mut tally = Tally::default();
        run(
            &case,
            Granularity::Sync,
            &mut search,
            &mut tally,
            u64::MAX,
            2,
        );
        let placements = search.coverage().placements.expect("they are counted");
        println!("{name} on {profile}: {placements:?}");
        assert!(
            placements.places > 100,
            "{name} on {profile}: {placements:?}"
        );
        assert_eq!(findings(&tally), BTreeSet::new(), "{name} on {profile}");
    }
}

/// Whichever call stack is refused memory: nothing stops, and no oracle finds anything.
#[test]
fn every_single_allocation_failure_is_survived() {
    // Recording this long run on x86, where stacks are searched for, takes seconds for each.
    let fast = |case: &&(&str, &str)| **case != ("q252664", "i386");
    for (name, profile) in CASES.iter().filter(fast) {
        let case = case_with_faults(name, profile, &FIXED, &["pool.fail"]);
        let mut search = Placement::new(
            Placing {
                kinds: FAULT,
                most: 1,
                every: false,
                fill: 0,
                oracles: true,
            },
            Box::new(Dfs::new(Bound::NONE)),
        );
        let mut tally = Tally::default();
        run(
            &case,
            Granularity::Access,
            &mut search,
            &mut tally,
            u64::MAX,
            2,
        );
        let placements = search.coverage().placements.expect("they are counted");
        println!("{name} on {profile}: {} stacks", placements.places);
        assert!(
            placements.places >= 5,
            "{name} on {profile}: {placements:?}"
        );
        assert_eq!(
            tally.schedules,
            1 + placements.places,
            "{name} on {profile}"
        );
        assert_eq!(findings(&tally), BTreeSet::new(), "{name} on {profile}");
    }
}
