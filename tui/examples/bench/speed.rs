//! The packet path at each granularity, as a ratio to the emulator alone on the same code.
//!
//! A mode is one booted machine that runs the default schedule of a scenario without a defect, so
//! that every mode executes the same instructions; a round runs each mode once, so that what slows
//! the computer down slows them all down.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use emu::campaign::Case;
use emu::choice::Moves;
use emu::choice::strategy::Replay;
use emu::machine::{Granularity, Machine, Snapshot, Watch};
use emu::stop::Stop;
use emu::trace::{Event, EventKind, Recorder};

use crate::stats::median;
use crate::support::case;

pub const SCENARIO: &str = "kb931322";
pub const PROFILES: [&str; 3] = ["i386", "amd64", "ia64"];
pub const ROUNDS: usize = 61;
pub const WARM_UP: usize = 4;

/// What the issue of the founding cases asks for, by granularity.
const AIMS: [(Granularity, f64); 2] = [(Granularity::Sync, 0.6), (Granularity::Access, 0.25)];

pub fn print() {
    println!("Speed of driver code on the packet path ({SCENARIO}, the fixed driver)");
    println!(
        "  ratio: to the emulator alone, same code and memory, no hooks; aims: {}",
        aims()
    );
    println!("  whole: the same for the whole run, the kernel model's work included");
    println!("  median of {ROUNDS} rounds");
    println!();
    println!(
        "  {:8} {:>4}  {:8} {:>12} {:>8} {:>10} {:>7} {:>7}",
        "profile", "cpus", "mode", "instructions", "points", "M instr/s", "ratio", "whole"
    );
    for profile in PROFILES {
        // One core: at a point nothing else can happen, so none is a choice. Two: each is.
        for cpus in ["1", "2"] {
            profile_table(profile, cpus);
        }
    }
    println!();
}

fn aims() -> String {
    let words: Vec<String> = AIMS
        .iter()
        .map(|(g, ratio)| format!("{} {ratio}", g.name()))
        .collect();
    words.join(", ")
}

fn profile_table(profile: &str, cpus: &str) {
    let case = case(SCENARIO, profile, &[("driver", "fixed"), ("cpus", cpus)]);
    let mut alone = Mode::new("alone", &case, Granularity::Sync, Watch::Nothing);
    let mut modes: Vec<Mode> = Granularity::ALL
        .into_iter()
        .map(|granularity| Mode::new(granularity.name(), &case, granularity, Watch::Points))
        .collect();
    for round in 0..WARM_UP + ROUNDS {
        for mode in std::iter::once(&mut alone).chain(&mut modes) {
            mode.run(round >= WARM_UP);
        }
    }
    let instructions = modes[0].instructions;
    for mode in &modes {
        assert_eq!(
            mode.instructions, instructions,
            "{}: another path",
            mode.name
        );
        assert!(
            mode.calls == alone.calls,
            "{}: other kernel calls",
            mode.name
        );
    }
    for mode in std::iter::once(&alone).chain(&modes) {
        let driver = median(&mode.driver);
        println!(
            "  {profile:8} {cpus:>4}  {:8} {instructions:>12} {:>8} {:>10.1} {:>7.2} {:>7.2}",
            mode.name,
            mode.choices,
            instructions as f64 / driver.as_secs_f64() / 1e6,
            ratio(&alone.driver, &mode.driver),
            ratio(&alone.whole, &mode.whole),
        );
    }
}

/// How fast `mode` is relative to `alone`, round by round.
pub fn ratio(alone: &[Duration], mode: &[Duration]) -> f64 {
    let ratios: Vec<f64> = alone
        .iter()
        .zip(mode)
        .map(|(a, m)| a.as_secs_f64() / m.as_secs_f64())
        .collect();
    median(&ratios)
}

/// A booted machine that runs the default schedule round after round.
pub struct Mode {
    pub name: &'static str,
    machine: Machine,
    booted: Snapshot,
    /// The kernel calls of the run, in order, to see that all modes take the same path.
    calls: Vec<(u8, &'static str)>,
    /// Instructions of one run, the boot not included.
    pub instructions: u64,
    choices: u64,
    /// Per round: time in driver code, and of the run.
    pub driver: Vec<Duration>,
    pub whole: Vec<Duration>,
}

impl Mode {
    pub fn new(name: &'static str, case: &Case, granularity: Granularity, watch: Watch) -> Mode {
        let mut machine = case
            .boot(granularity, watch)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let booted = machine.snapshot();
        let calls = calls(&mut machine);
        machine.stopwatch = Some(stopwatch);
        let (driver, whole) = (Vec::new(), Vec::new());
        Mode {
            name,
            machine,
            booted,
            calls,
            instructions: 0,
            choices: 0,
            driver,
            whole,
        }
    }

    pub fn run(&mut self, counts: bool) {
        self.machine.restore(&self.booted);
        let before = self.machine.retired();
        DRIVER_TIME.store(0, Relaxed);
        let begin = Instant::now();
        let ended = self.machine.run(undisturbed());
        let whole = begin.elapsed();
        assert_eq!(ended.stop, Stop::Completed, "{}", self.name);
        self.instructions = ended.instructions - before;
        self.choices = ended.choices;
        if counts {
            self.driver
                .push(Duration::from_nanos(DRIVER_TIME.load(Relaxed)));
            self.whole.push(whole);
        }
    }
}

/// The schedule in which option 0 is taken everywhere.
fn undisturbed() -> Box<Replay> {
    Box::new(Replay::new(Moves::default()))
}

/// Runs the machine once; the kernel calls that driver code makes.
fn calls(machine: &mut Machine) -> Vec<(u8, &'static str)> {
    machine.recorder = Recorder::new(true);
    machine.run(undisturbed());
    let call = |event: &Event| match event.kind {
        EventKind::Call { name, .. } => Some((event.core, name)),
        _ => None,
    };
    machine.recorder.events().iter().filter_map(call).collect()
}

/// Nanoseconds in driver code since it was last set to 0, and when driver code was entered.
static DRIVER_TIME: AtomicU64 = AtomicU64::new(0);
static ENTERED: AtomicU64 = AtomicU64::new(0);

fn stopwatch(starts: bool) {
    let now = now();
    if starts {
        ENTERED.store(now, Relaxed);
    } else {
        DRIVER_TIME.fetch_add(now - ENTERED.load(Relaxed), Relaxed);
    }
}

/// Nanoseconds since the first call.
fn now() -> u64 {
    static ORIGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    ORIGIN.elapsed().as_nanos() as u64
}
