//! Restores and schedules per second: what a campaign on one worker is made of.

use std::time::{Duration, Instant};

use emu::choice::Moves;
use emu::choice::strategy::{self, Replay};
use emu::machine::{Granularity, Watch};

use crate::stats::{median, per_second};
use crate::support::case;

const CASES: [(&str, &str); 5] = [
    ("q252664", "i386"),
    ("q252664", "alpha"),
    ("kb931322", "i386"),
    ("kb931322", "amd64"),
    ("kb931322", "ia64"),
];
const SEEDS: std::ops::Range<u64> = 1..201;

pub fn print() {
    println!("Restores and schedules per second, one worker");
    println!(
        "  random, {} seeds, medians; `restore`: of the snapshot alone, after a run;",
        SEEDS.end - 1
    );
    println!("  `random`: restore, and run a random schedule to the stop;");
    println!("  `default`: restore, and run with option 0 everywhere;");
    println!("  `runs`: a digest of what the random runs did");
    println!();
    println!(
        "  {:10} {:8} {:7} {:>11} {:>11} {:>9} {:>10} {:>7} {:>17}",
        "scenario",
        "profile",
        "choices",
        "restore us",
        "restores/s",
        "random/s",
        "default/s",
        "at",
        "runs"
    );
    for (scenario, profile) in CASES {
        for granularity in [Granularity::Sync, Granularity::Access] {
            row(scenario, profile, granularity);
        }
    }
}

fn row(scenario: &str, profile: &str, granularity: Granularity) {
    let case = case(scenario, profile, &[]);
    let random = strategy::find("random").expect("it is in the list");
    let mut machine = case
        .boot(granularity, Watch::Points)
        .unwrap_or_else(|e| panic!("{e}"));
    let booted = machine.snapshot();
    let (mut restores, mut schedules) = (Vec::<Duration>::new(), Vec::<Duration>::new());
    let mut choices = Vec::new();
    let mut digest = 0u64;
    for seed in SEEDS {
        let strategy = random.start(seed);
        let begin = Instant::now();
        machine.restore(&booted);
        restores.push(begin.elapsed());
        let ended = machine.run(strategy);
        schedules.push(begin.elapsed());
        choices.push(ended.choices);
        for part in [ended.trace_hash, ended.choices, ended.instructions] {
            digest = digest.rotate_left(7) ^ part;
        }
    }
    let undisturbed: Vec<Duration> = SEEDS
        .map(|_| {
            let begin = Instant::now();
            machine.restore(&booted);
            machine.run(Box::new(Replay::new(Moves::default())));
            begin.elapsed()
        })
        .collect();
    let restore = median(&restores);
    println!(
        "  {scenario:10} {profile:8} {:>7} {:>11.0} {:>11.0} {:>9.0} {:>10.0} {:>7} {digest:>17x}",
        median(&choices),
        restore.as_secs_f64() * 1e6,
        per_second(restore),
        per_second(median(&schedules)),
        per_second(median(&undisturbed)),
        granularity.name(),
    );
}
