//! A run is a pure function of scenario, drivers and schedule: the same after a restore, after a
//! fresh boot, on any number of workers, recorded or not, and in every build of irqlab.

use std::fmt::Write as _;
use std::path::Path;

use emu::campaign::{self, Campaign, Case};
use emu::choice::Moves;
use emu::choice::strategy::{self, Random, Replay};
use emu::explain::{RunHeader, explain};
use emu::machine::{Ended, Granularity, Watch};
use emu::stop::Stop;

use crate::support::{self, CASES, case, drivers};

/// All that a run comes to.
type Facts = (Stop, Moves, u64, u64, u64);

fn facts(e: &Ended) -> Facts {
    (
        e.stop.clone(),
        e.moves.clone(),
        e.choices,
        e.instructions,
        e.trace_hash,
    )
}

/// The facts of some seeds, each run on a machine of its own.
fn alone(case: &Case, granularity: Granularity, seeds: std::ops::Range<u64>) -> Vec<Facts> {
    seeds
        .map(|seed| facts(&support::run(case, granularity, seed)))
        .collect()
}

/// A hundred runs, each after one of another seed: some stop, some complete, and what one leaves
/// behind is not seen by the next.
#[test]
fn restored_a_hundred_times() {
    for (scenario, profile) in CASES {
        let case = case(scenario, profile, &[]);
        let first = alone(&case, Granularity::Access, 1..11);
        let mut campaign = Campaign::new(&case, Granularity::Access).unwrap();
        for round in 0..10 {
            for (seed, expected) in (1..11).zip(&first) {
                let ended = campaign.run(Box::new(Random::new(seed)));
                assert!(
                    facts(&ended) == *expected,
                    "{scenario} {profile}, seed {seed}, round {round}: {ended:?}"
                );
            }
        }
        let mut hashes: Vec<u64> = first.iter().map(|f| f.4).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(
            hashes.len(),
            10,
            "{scenario} {profile}: ten seeds are ten runs"
        );
    }
}

#[test]
fn on_one_worker_and_on_two() {
    let random = strategy::find("random").unwrap();
    for (scenario, profile) in CASES {
        let case = case(scenario, profile, &[]);
        let run = |jobs| {
            let ended =
                campaign::seeds(&case, Granularity::Access, random, 1..41, jobs, |_, _| true);
            let ended = ended.unwrap().into_iter();
            ended
                .map(|e| facts(&e.expect("every seed ran")))
                .collect::<Vec<_>>()
        };
        let (one, two) = (run(1), run(2));
        assert!(one == two, "{scenario} {profile}");
        assert!(
            one[..4] == alone(&case, Granularity::Access, 1..5),
            "{scenario} {profile}"
        );
    }
}

#[test]
fn replayed_and_recorded() {
    for (scenario, profile) in CASES {
        let case = case(scenario, profile, &[]);
        for granularity in Granularity::ALL {
            let seeds = match granularity {
                Granularity::Access => 1..4,
                _ => 1..2,
            };
            for seed in seeds {
                let here = format!("{scenario} {profile} {granularity:?} seed {seed}");
                let ended = support::run(&case, granularity, seed);
                assert!(!ended.moves.0.is_empty(), "{here}");
                // The schedule as text is the run.
                let moves: Moves = ended.moves.to_string().parse().unwrap();

                let mut machine = case.boot(granularity, Watch::Points).unwrap();
                let replayed = machine.run(Box::new(Replay::new(moves.clone())));
                assert!(facts(&replayed) == facts(&ended), "{here}: {replayed:?}");

                let told = explain(&case, granularity, &moves, &RunHeader::default()).unwrap();
                assert!(facts(&told.ended) == facts(&ended), "{here}, recorded");
                assert_eq!(told.report.run.trace_hash, ended.trace_hash, "{here}");
                assert!(!told.machine.recorder.events().is_empty(), "{here}");
            }
        }
    }
}

/// Two runs of every case at every granularity, pinned: whichever way irqlab is built, they are
/// these. The pins speak of the drivers' bytes, which another compiler makes differently.
#[test]
fn pinned() {
    let index = std::fs::read_to_string(drivers().join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let compiler = index["compiler"].as_str().expect("who built the drivers");

    let mut text = format!("drivers of {compiler}\n");
    for (scenario, profile) in CASES {
        let case = case(scenario, profile, &[]);
        for granularity in Granularity::ALL {
            let mut campaign = Campaign::new(&case, granularity).unwrap();
            for seed in 1..3 {
                let e = campaign.run(Box::new(Random::new(seed)));
                let stop = match &e.stop {
                    Stop::Bugcheck(b) => format!("{:#010X}", b.code),
                    other => format!("{other:?}"),
                };
                let (granularity, moves) = (granularity.name(), e.moves.0.len());
                let numbers = format!(
                    "choices {} moves {moves} instructions {}",
                    e.choices, e.instructions
                );
                writeln!(
                    text,
                    "{scenario} {profile} {granularity} seed {seed}: {stop} {numbers} trace {:016x}",
                    e.trace_hash
                )
                .unwrap();
            }
        }
    }

    // Kept for `cargo xtask test`, which compares the two builds whatever drivers the pins are for.
    let build = match cfg!(debug_assertions) {
        true => "checked",
        false => "optimised",
    };
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pinned");
    std::fs::create_dir_all(&kept).unwrap();
    std::fs::write(kept.join(format!("{build}.txt")), &text).unwrap();

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bundled/pins.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|v| v == "1") {
        return std::fs::write(path, text).unwrap();
    }
    let pins = std::fs::read_to_string(&path).unwrap_or_default();
    if pins.lines().next() != text.lines().next() {
        return println!(
            "the pins are for other {}",
            pins.lines().next().unwrap_or("drivers")
        );
    }
    for (pin, line) in pins.lines().zip(text.lines()) {
        assert_eq!(pin, line, "UPDATE_EXPECT=1 pins the runs anew");
    }
    assert_eq!(pins.lines().count(), text.lines().count());
}
