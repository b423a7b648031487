//! How long somebody waits for a crash: a new process reads the drivers, boots, and runs one seed
//! after the other until a run stops with a bugcheck.

use std::process::Command;
use std::time::{Duration, Instant};

use emu::campaign::Campaign;
use emu::choice::strategy;
use emu::machine::Granularity;
use emu::stop::Stop;

use crate::stats::median;
use crate::support::case;

const CASES: [(&str, &str); 5] = [
    ("q252664", "i386"),
    ("q252664", "alpha"),
    ("kb931322", "i386"),
    ("kb931322", "amd64"),
    ("kb931322", "ia64"),
];
const ROUNDS: usize = 5;
/// More than any case needs; a case that needs more is reported as a failure.
const SEEDS: std::ops::Range<u64> = 1..1001;

pub fn print() {
    println!("From process start to the first stop");
    println!("  seeds from 1, random, access, one worker; median of {ROUNDS} processes");
    println!();
    println!(
        "  {:10} {:8} {:>6} {:>10}",
        "scenario", "profile", "seed", "ms"
    );
    for (scenario, profile) in CASES {
        let rounds: Vec<(Duration, String)> =
            (0..ROUNDS).map(|_| spawn(scenario, profile)).collect();
        let times: Vec<Duration> = rounds.iter().map(|(time, _)| *time).collect();
        let seed = &rounds[0].1;
        assert!(
            rounds.iter().all(|(_, other)| other == seed),
            "{scenario}: other seeds stop"
        );
        let ms = median(&times).as_secs_f64() * 1e3;
        println!("  {scenario:10} {profile:8} {seed:>6} {ms:>10.0}");
    }
    println!();
}

/// Starts this program again, as a process of its own; its time, and the seed that stopped.
fn spawn(scenario: &str, profile: &str) -> (Duration, String) {
    let this = std::env::current_exe().expect("the program is a file");
    let begin = Instant::now();
    let output = Command::new(this)
        .args(["first-stop", scenario, profile])
        .output()
        .expect("the program starts again");
    let time = begin.elapsed();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scenario} on {profile}: {errors}");
    (
        time,
        String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// The process that is timed: prints the first seed that stops.
pub fn child(scenario: &str, profile: &str) {
    let case = case(scenario, profile, &[]);
    let random = strategy::find("random").expect("it is in the list");
    let mut campaign = Campaign::new(&case, Granularity::Access).unwrap_or_else(|e| panic!("{e}"));
    let stops = |seed: &u64| matches!(campaign.run(random.start(*seed)).stop, Stop::Bugcheck(_));
    match SEEDS.into_iter().find(stops) {
        Some(seed) => println!("{seed}"),
        None => panic!("none of the seeds {SEEDS:?} stops"),
    }
}
