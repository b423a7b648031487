//! The bundled scenarios on the built drivers: how often they stop, where, and that nothing stops
//! when a condition is missing.

use emu::campaign::{self, Case};
use emu::choice::strategy;
use emu::machine::{Granularity, Watch};
use emu::stop::Stop;

use crate::support::{Setting, case};

/// Runs seeds 1 to `seeds` and gives the stops.
fn run(case: &Case, seeds: u64) -> Vec<Stop> {
    let random = strategy::find("random").unwrap();
    let ended = campaign::seeds(
        case,
        Granularity::Access,
        random,
        1..seeds + 1,
        2,
        |_, _| true,
    )
    .unwrap();
    ended
        .into_iter()
        .map(|e| e.expect("every seed ran").stop)
        .collect()
}

/// Seeds that stop, of 200; each must be this bugcheck in this driver.
#[track_caller]
fn crashes(
    scenario: &str,
    profile: &str,
    settings: &[Setting<'_>],
    code: u32,
    driver: &str,
) -> usize {
    let case = case(scenario, profile, settings);
    // Every machine of a case has its modules at the same addresses.
    let machine = case.boot(Granularity::Sync, Watch::Points).unwrap();
    let mut count = 0;
    for stop in run(&case, 200) {
        match stop {
            Stop::Completed => {}
            Stop::Bugcheck(b) => {
                assert_eq!(b.code, code, "{b:x?}");
                assert_eq!((b.irql, b.params[1]), (2, 2));
                assert_eq!(b.params[3], b.pc);
                let module = machine.module_at(b.pc).expect("the PC is in a module");
                assert_eq!(machine.setup.modules[module].name, driver);
                count += 1;
            }
            other => panic!("{scenario} on {profile}: {other:?}"),
        }
    }
    println!("{scenario} on {profile} {settings:?}: {count} of 200 stop");
    count
}

#[track_caller]
fn never_crashes(scenario: &str, profile: &str, settings: &[Setting<'_>]) {
    let case = case(scenario, profile, settings);
    for (i, stop) in run(&case, 1000).into_iter().enumerate() {
        assert_eq!(
            stop,
            Stop::Completed,
            "{scenario} on {profile} {settings:?}, seed {}",
            i + 1
        );
    }
}

const SERVICE_PACKS: [&str; 2] = ["ws2003-sp1", "ws2003-sp2"];

#[test]
fn kb931322_stops_on_every_profile_and_service_pack() {
    for profile in ["i386", "amd64", "ia64"] {
        for sp in SERVICE_PACKS {
            let settings = [("personality", sp)];
            let count = crashes("kb931322", profile, &settings, 0xD1, "ipnat.sys");
            assert!(count >= 10, "{count} of 200 on {profile} {sp}");
        }
    }
}

#[test]
fn q252664_stops_on_both_profiles() {
    for profile in ["i386", "alpha"] {
        let count = crashes("q252664", profile, &[], 0x0A, "tcpip.sys");
        assert!(count >= 10, "{count} of 200 on {profile}");
    }
}

#[test]
fn kb931322_needs_every_condition() {
    for profile in ["i386", "amd64", "ia64"] {
        for off in ["nat", "ip_preservation", "load", "reset"] {
            never_crashes("kb931322", profile, &[(off, "false")]);
        }
    }
}

#[test]
fn kb931322_fixed_never_stops() {
    for profile in ["i386", "amd64", "ia64"] {
        for sp in SERVICE_PACKS {
            never_crashes(
                "kb931322",
                profile,
                &[("driver", "fixed"), ("personality", sp)],
            );
        }
    }
}

#[test]
fn q252664_needs_every_condition() {
    for profile in ["i386", "alpha"] {
        for off in ["urgent", "reorder", "overlap"] {
            never_crashes("q252664", profile, &[(off, "false")]);
        }
        never_crashes("q252664", profile, &[("cpus", "1")]);
        never_crashes("q252664", profile, &[("driver", "fixed")]);
    }
}
