//! Schedules of the shapes are shrunk to the fewest preemptions that show the defect, which the
//! scenario states. Needs `cargo xtask drivers`.

use crate::still::scope;
use crate::support::{CASES, Setting, case, crash};
use emu::campaign::Campaign;
use emu::choice::strategy::{Random, Replay};
use emu::choice::{Scope, World};
use emu::machine::Granularity;
use emu::search::{shrink, signature};
use emu::stop::Stop;

const SHAPES: &[(&str, &[Setting<'static>])] = &[
    ("account", &[]),
    ("bluetooth", &[]),
    ("bluetooth", &[("pool", "true")]),
    ("deadlock", &[]),
    ("port", &[]),
    ("reorder", &[]),
    ("stack", &[]),
    ("twostage", &[]),
    ("wronglock", &[]),
];

/// Stops that are shrunk, of each shape.
const STOPS: usize = 3;

#[test]
fn a_schedule_is_shrunk_to_the_fewest_preemptions() {
    for (name, settings) in SHAPES {
        for profile in ["amd64", "i386", "arm64"] {
            let case = case(name, profile, settings);
            let fewest = case.plan.expect.preemptions.expect("the scenario says it");
            let still = scope(&case);
            let open = Scope::from(Granularity::Access);
            for (scope, stops) in [(still, STOPS), (open, 1)] {
                // Among all that the world can do, not everything that is shorter is tried.
                let all = scope.world == World::HELD;
                let here = format!("{name} {settings:?} on {profile}, {:?}", scope.granularity);
                let mut campaign = Campaign::new(&case, scope).unwrap_or_else(|e| panic!("{e}"));
                let mut seeds = 1..20_000;
                for _ in 0..stops {
                    let mut runs = seeds
                        .by_ref()
                        .map(|seed| campaign.run(Box::new(Random::new(seed))));
                    let long = runs
                        .find(|e| e.stop != Stop::Completed)
                        .expect("a seed stops");
                    campaign.run(Box::new(Replay::new(long.moves.clone())));
                    let wanted = signature(&long.stop, campaign.machine()).0;
                    let short = shrink(&mut campaign, &long.moves, &wanted);
                    let short = short.unwrap_or_else(|| panic!("{here}: it does not stop again"));
                    assert_eq!(short.preemptions as u32, fewest, "{here}");
                    assert!(short.fewest || !all, "{here}: fewer have not been tried");
                    // The schedule that comes out is the run that it was taken from.
                    let again = campaign.run(Box::new(Replay::new(short.ended.moves.clone())));
                    assert_eq!(again.trace_hash, short.ended.trace_hash, "{here}");
                    assert_eq!(
                        signature(&again.stop, campaign.machine()).0,
                        wanted,
                        "{here}"
                    );
                }
            }
        }
    }
}

/// In the founding cases two stretches of code at DISPATCH_LEVEL must overlap, so that one of them is
/// preempted: no schedule without a preemption stops, and one with a single one is found.
#[test]
fn a_founding_case_is_shrunk_to_one_preemption() {
    for (name, profile) in CASES {
        let case = case(name, profile, &[]);
        let fewest = case.plan.expect.preemptions.expect("the scenario says it");
        let (seed, long) = &*crash(name, profile);
        let scope = Scope::from(Granularity::Access);
        let mut campaign = Campaign::new(&case, scope).unwrap_or_else(|e| panic!("{e}"));
        campaign.run(Box::new(Replay::new(long.moves.clone())));
        let wanted = signature(&long.stop, campaign.machine()).0;
        let short = shrink(&mut campaign, &long.moves, &wanted);
        let short = short.unwrap_or_else(|| panic!("{name} on {profile}: it does not stop again"));
        println!(
            "{name} on {profile}: seed {seed}, {} moves, to {} preemptions and {} others \
             in {} runs",
            long.moves.0.len(),
            short.preemptions,
            short.others,
            short.runs
        );
        let again = campaign.run(Box::new(Replay::new(short.ended.moves.clone())));
        assert_eq!(again.trace_hash, short.ended.trace_hash, "{name} {profile}");
        let end = signature(&again.stop, campaign.machine()).0;
        assert_eq!(end, wanted, "{name} on {profile}");
        assert_eq!(short.preemptions as u32, fewest, "{name} on {profile}");
    }
}
