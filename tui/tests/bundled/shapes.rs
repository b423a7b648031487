//! The small concurrency shapes: in the driver with the defect, a walk at random finds the stop
//! that the scenario tells of; in the correct one it finds nothing. Needs `cargo xtask drivers`.

use crate::support::{Setting, case};
use emu::campaign::{self, Case};
use emu::choice::strategy;
use emu::machine::{Ended, Granularity, Watch};
use emu::scenario::{How, StopKind};
use emu::stop::Stop;

const PROFILES: [&str; 3] = ["amd64", "i386", "arm64"];

/// Seeds that the correct drivers are run with.
const FIXED_SEEDS: u64 = 500;

/// A scenario, settings that its stop is looked for with, and in how many seeds it is found.
type Shape = (&'static str, &'static [Setting<'static>], u64);

const SHAPES: &[Shape] = &[
    ("account", &[], 200),
    ("bluetooth", &[], 500),
    ("bluetooth", &[("pool", "true")], 1000),
    ("counter", &[], 100),
    ("deadlock", &[], 50),
    ("port", &[], 2000),
    ("reorder", &[], 20_000),
    ("stack", &[], 30),
    ("twostage", &[], 1000),
    ("wronglock", &[], 20),
];

/// Runs the seeds from 1 on until one does not complete; all that were run, in order.
fn run(case: &Case, seeds: u64) -> Vec<Ended> {
    let random = strategy::find("random").unwrap();
    let range = 1..seeds + 1;
    let completed = |_, ended: &Ended| ended.stop == Stop::Completed;
    let ended = campaign::seeds(case, Granularity::Access, random, range, 2, completed);
    ended.unwrap().into_iter().flatten().collect()
}

/// Every shape on every profile; `check` gets the case and its seeds.
fn each(driver: &'static str, check: impl Fn(&Case, u64)) {
    for (name, settings, seeds) in SHAPES {
        for profile in PROFILES {
            let settings: Vec<Setting<'_>> = [&[("driver", driver)], *settings].concat();
            println!("{name} on {profile} {settings:?}");
            check(&case(name, profile, &settings), *seeds);
        }
    }
}

#[test]
fn a_shape_with_its_defect_stops_as_its_scenario_says() {
    each("buggy", |case, seeds| {
        let expect = &case.plan.expect;
        assert_eq!(expect.how, How::Possible);
        let ended = run(case, seeds);
        let stop = ended.into_iter().map(|e| e.stop);
        let stop = stop.into_iter().find(|stop| *stop != Stop::Completed);
        let stop = stop.unwrap_or_else(|| panic!("{seeds} seeds complete"));
        let module = match &stop {
            Stop::Bugcheck(b) => {
                let machine = case.boot(Granularity::Sync, Watch::Points).unwrap();
                let module = machine.module_at(b.pc).expect("the PC is in a module");
                Some(machine.setup.modules[module].name.clone())
            }
            _ => None,
        };
        assert_eq!(expect.judge(&stop, module.as_deref()), Ok(()), "{stop:x?}");
    });
}

#[test]
fn a_correct_shape_completes() {
    each("fixed", |case, _| {
        assert_eq!(case.plan.expect.stop, StopKind::Completed);
        let ended = run(case, FIXED_SEEDS);
        let stopped = ended.iter().find(|e| e.stop != Stop::Completed);
        assert!(stopped.is_none(), "{:x?}", stopped.unwrap().stop);
        assert_eq!(ended.len() as u64, FIXED_SEEDS);
    });
}
