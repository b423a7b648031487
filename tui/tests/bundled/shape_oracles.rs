//! What the oracles say of the shapes: what is wrong shows in runs that come out well, and a use of
//! freed memory is told by its name. Needs `cargo xtask drivers`.

use crate::support::case;
use emu::campaign::{Campaign, Case};
use emu::choice::Moves;
use emu::choice::strategy::{Random, Replay};
use emu::machine::{Ended, Granularity, Machine, Watch};
use emu::oracle::{self, Told};
use emu::stop::Stop;

/// Seeds among which is one that deletes the port too early.
const SEEDS: u64 = 2000;

const PROFILES: [&str; 3] = ["amd64", "i386", "arm64"];

fn recorded(case: &Case, moves: &Moves) -> (Machine, Ended) {
    let boot = case.boot(Granularity::Access, Watch::Recording);
    let mut machine = boot.unwrap_or_else(|e| panic!("{e}"));
    let ended = machine.run(Box::new(Replay::new(moves.clone())));
    (machine, ended)
}

/// What an oracle finds in a run.
fn found(machine: &Machine, ended: &Ended, name: &str) -> Vec<Told> {
    let oracle = oracle::find(name).expect("it is an oracle");
    let all = oracle::check(machine, ended, &[oracle]);
    all.iter().map(|f| oracle::tell(machine, f)).collect()
}

/// The oracle that sees the defect in the default schedule, and functions that it names.
const SEEN_AT_ONCE: [(&str, &str, &[&str]); 3] = [
    (
        "deadlock",
        "lock-order",
        &["deadlock::up", "deadlock::down"],
    ),
    (
        "wronglock",
        "race",
        &["wronglock::first", "wronglock::other"],
    ),
    ("reorder", "race", &["reorder::setter", "reorder::checker"]),
];

#[test]
fn the_default_schedule_is_enough_for_an_oracle() {
    for (name, oracle, functions) in SEEN_AT_ONCE {
        for profile in PROFILES {
            let told = |driver| {
                let case = case(name, profile, &[("driver", driver)]);
                let (machine, ended) = recorded(&case, &Moves::default());
                assert_eq!(ended.stop, Stop::Completed, "{name} {driver} on {profile}");
                found(&machine, &ended, oracle)
            };
            let all = told("buggy");
            for function in functions {
                let names = |t: &Told| {
                    let places = t.places.iter().flat_map(|p| &p.stack);
                    places
                        .into_iter()
                        .any(|p| p.function.as_deref() == Some(*function))
                };
                assert!(
                    all.iter().any(names),
                    "{name} {function} on {profile}: {all:#?}"
                );
            }
            let all = told("fixed");
            assert!(all.is_empty(), "{name} fixed on {profile}: {all:#?}");
        }
    }
}

/// The creator of a port writes to it when it has been freed, which the pool makes a stop.
#[test]
fn a_port_is_used_after_it_was_freed() {
    for profile in PROFILES {
        let case = case("port", profile, &[]);
        let campaign = Campaign::new(&case, Granularity::Access);
        let mut campaign = campaign.unwrap_or_else(|e| panic!("{e}"));
        let mut runs = (1..=SEEDS).map(|seed| campaign.run(Box::new(Random::new(seed))));
        let crash = runs.find(|ended| ended.stop != Stop::Completed);
        let crash = crash.unwrap_or_else(|| panic!("{profile}: all of {SEEDS} seeds complete"));
        let Stop::Bugcheck(bugcheck) = &crash.stop else {
            panic!("{profile}: {:?}", crash.stop)
        };
        assert_eq!(bugcheck.code, 0x50, "{profile}");
        let (machine, ended) = recorded(&case, &crash.moves);
        assert_eq!(ended.trace_hash, crash.trace_hash);
        let all = found(&machine, &ended, "use-after-free");
        let [told] = all.as_slice() else {
            panic!("{profile}: {all:#?}")
        };
        let functions = told.places.iter().map(|p| {
            let functions = p.stack.iter().filter_map(|place| place.function.as_deref());
            functions.collect::<Vec<&str>>()
        });
        let functions: Vec<Vec<&str>> = functions.collect();
        let [allocated, freed, used] = functions.as_slice() else {
            panic!("{profile}: {told:#?}")
        };
        let creates = |stack: &[&str]| stack.iter().any(|f| f.starts_with("port::create"));
        assert!(
            creates(allocated) && creates(used),
            "{profile}: {functions:?}"
        );
        assert!(
            freed.iter().any(|f| f.starts_with("port::delete")),
            "{profile}: {functions:?}"
        );
    }
}
