//! What the rules cost: the packet path with all of them at stop beside the same without any.

use emu::machine::{Granularity, Watch};
use emu::rules::Level;

use crate::speed::{Mode, PROFILES, ROUNDS, SCENARIO, WARM_UP, ratio};
use crate::stats::median;
use crate::support::case;

/// What the issue of the rules asks for.
const AIM: f64 = 0.5;

pub fn print() {
    println!("Rules on the packet path ({SCENARIO}, the fixed driver, sync)");
    println!("  ratio: to the run with all rules off, in driver code; whole: the same for the run");
    println!("  aim: stop {AIM}; median of {ROUNDS} rounds");
    println!();
    println!(
        "  {:8} {:>4}  {:6} {:>12} {:>10} {:>7} {:>7}",
        "profile", "cpus", "rules", "instructions", "M instr/s", "ratio", "whole"
    );
    for profile in PROFILES {
        for cpus in ["1", "2"] {
            profile_table(profile, cpus);
        }
    }
    println!();
}

fn profile_table(profile: &str, cpus: &str) {
    let mut modes: Vec<Mode> = Level::ALL
        .into_iter()
        .map(|level| {
            let mut case = case(SCENARIO, profile, &[("driver", "fixed"), ("cpus", cpus)]);
            case.plan.rules.set("all", level).expect("all are rules");
            Mode::new(level.name(), &case, Granularity::Sync, Watch::Points)
        })
        .collect();
    for round in 0..WARM_UP + ROUNDS {
        for mode in &mut modes {
            mode.run(round >= WARM_UP);
        }
    }
    let off = &modes[0];
    for mode in &modes {
        assert_eq!(mode.instructions, off.instructions, "another path");
        let driver = median(&mode.driver);
        println!(
            "  {profile:8} {cpus:>4}  {:6} {:>12} {:>10.1} {:>7.2} {:>7.2}",
            mode.name,
            mode.instructions,
            mode.instructions as f64 / driver.as_secs_f64() / 1e6,
            ratio(&off.driver, &mode.driver),
            ratio(&off.whole, &mode.whole),
        );
    }
}
