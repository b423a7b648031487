//! The rules: each is found broken by the driver that breaks it and kept by the one that keeps it,
//! on every architecture; correct drivers break none; and a level does what it says. Needs
//! `cargo xtask drivers`.

use emu::campaign::{Campaign, Case};
use emu::choice::Moves;
use emu::choice::strategy::{Random, Replay};
use emu::explain::Explained;
use emu::machine::{Ended, Granularity};
use emu::oracle::Told;
use emu::rules::{Level, Levels, RULES, Rule};
use emu::scenario::{SettingKind, parse};
use emu::stop::Stop;

use crate::scenarios::scenarios;
use crate::support::{Setting, case, load, plan, root, told};

/// One for each architecture.
const PROFILES: [&str; 3] = ["amd64", "i386", "arm64"];

/// rules.sys that breaks or keeps a rule, on so many cores, with all rules at a level.
#[track_caller]
fn pair(rule: &Rule, profile: &str, driver: &str, cpus: u8, level: Level) -> Case {
    let count = cpus.to_string();
    let set: [Setting<'_>; 3] = [("rule", rule.name), ("driver", driver), ("cpus", &count)];
    let mut plan = plan("rules", profile, &set, &[]).unwrap_or_else(|e| panic!("{e}"));
    plan.rules.set("all", level).expect("all are rules");
    load(plan)
}

/// A work item waits for its thread while there is no core for it.
fn cores(rule: &Rule) -> &'static [u8] {
    match rule.name {
        "object-work-freed" | "object-work-queued" => &[1],
        _ => &[1, 2],
    }
}

fn run(case: &Case, seed: Option<u64>) -> Ended {
    let campaign = Campaign::new(case, Granularity::Access);
    let mut campaign = campaign.unwrap_or_else(|e| panic!("{e}"));
    match seed {
        Some(seed) => campaign.run(Box::new(Random::new(seed))),
        None => campaign.run(Box::new(Replay::new(Moves::default()))),
    }
}

/// What a run broke.
fn broken(told: &Explained) -> Vec<&Told> {
    let findings = told.report.findings.iter();
    let of_rule = |t: &&Told| emu::rules::find(t.oracle).is_some();
    findings.filter(of_rule).collect()
}

#[test]
fn the_scenario_has_every_rule() {
    let text = std::fs::read_to_string(root().join("scenarios/rules.toml")).unwrap();
    let scenario = parse("rules.toml", &text).unwrap_or_else(|e| panic!("{e}"));
    let setting = scenario.settings.iter().find(|s| s.name == "rule").unwrap();
    let SettingKind::Choice(values) = &setting.kind else {
        panic!("{setting:?}")
    };
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(*values, names);
}

/// The stop is the one that the scenario states, which is the rule's own; the finding names the
/// rule and the rule's file in the driver.
#[test]
fn every_rule_is_found_broken() {
    for (rule, profile) in RULES.iter().flat_map(|r| PROFILES.map(|p| (*r, p))) {
        for &cpus in cores(rule) {
            let here = format!("{} on {profile}, {cpus} cores", rule.name);
            let case = pair(rule, profile, "broken", cpus, Level::Stop);
            let told = told(&case, &Moves::default());
            let Stop::Bugcheck(b) = &told.ended.stop else {
                panic!("{here}: {:?}", told.ended.stop)
            };
            let expect = &case.plan.expect;
            assert!(
                expect.judge(&told.ended.stop, None).is_ok(),
                "{here}: {b:x?}"
            );
            // Of pageable memory it is a page fault, for which these kernels blame the driver.
            let code = if rule.code == 0x0A { 0xD1 } else { rule.code };
            assert_eq!(b.code, code, "{here}");
            let all = broken(&told);
            let [finding] = all.as_slice() else {
                panic!("{here}: {all:#?}")
            };
            assert_eq!(finding.oracle, rule.name, "{here}");
            assert_eq!(finding.rule, rule.source);
            let file = format!("rules/src/{}.rs", rule.name.replace('-', "_"));
            let places = finding
                .places
                .iter()
                .flat_map(|p| p.stack.iter().chain([&p.place]));
            let mut sources = places.filter_map(|p| p.source.as_ref());
            let own = sources.any(|(f, _)| f.ends_with(&file));
            // What a DPC or a work item has done, or an unload routine has not, is told of that;
            // and what is seen when a dispatch routine returns, of that routine. A call that is
            // the last thing a routine does leaves no frame of the routine.
            let elsewhere = [
                "object-unload",
                "time-dpc",
                "irql-dpc-return",
                "irql-work-return",
                "irp-not-marked",
                "irp-marked",
                "irp-forgotten",
                "lock-held-return",
                "lock-thread-end",
                "irp-complete-pending",
                "irp-complete-twice",
                "irp-cancel-routine",
            ];
            assert!(
                own || elsewhere.contains(&rule.name),
                "{here}: {finding:#?}"
            );
            let last = told.report.why.last().expect("a story");
            let noted = last.note.as_deref().unwrap_or_default();
            assert!(noted.contains(rule.name), "{here}: {last:?}");
        }
    }
}

#[test]
fn every_rule_is_found_kept() {
    for (rule, profile) in RULES.iter().flat_map(|r| PROFILES.map(|p| (*r, p))) {
        for cpus in [1, 2] {
            let case = pair(rule, profile, "kept", cpus, Level::Stop);
            for seed in [None, Some(1), Some(2)] {
                let ended = run(&case, seed);
                let here = format!("{} on {profile}, {cpus} cores, seed {seed:?}", rule.name);
                assert_eq!(ended.stop, Stop::Completed, "{here}");
                let told = told(&case, &ended.moves);
                assert!(broken(&told).is_empty(), "{here}: {:#?}", broken(&told));
            }
        }
    }
}

/// Where no rule sees it, a timer whose memory has gone is a page fault of the kernel's own when it
/// is due: at DISPATCH_LEVEL, and no driver's code.
#[test]
fn a_timer_that_has_gone_is_a_fault_of_the_kernel() {
    for profile in PROFILES {
        let set = [
            ("rule", "object-timer-freed"),
            ("driver", "broken"),
            ("cpus", "1"),
        ];
        let clock = ["irql.interrupt@IofCompleteRequest:what=clock,every=true"];
        let mut plan = plan("rules", profile, &set, &clock).unwrap_or_else(|e| panic!("{e}"));
        plan.rules.set("all", Level::Off).expect("all are rules");
        plan.memory.special_pool = true;
        let Stop::Bugcheck(b) = run(&load(plan), None).stop else {
            panic!("{profile}: the timer has not expired")
        };
        assert_eq!((b.code, b.irql), (0x0A, 2), "{profile}: {b:x?}");
        assert_eq!(b.params[1..3], [2, 1], "{profile}: {b:x?}");
        assert_eq!(b.blamed, None, "{profile}");
    }
}

/// A warning changes nothing of a run, recorded or not; what is off says nothing.
#[test]
fn a_warning_changes_nothing() {
    for rule in RULES {
        let case = |level| {
            let mut case = pair(rule, "amd64", "broken", 1, level);
            // An oracle of the same name looks at the record whatever the level is.
            case.plan.oracles.clear();
            case
        };
        let name = rule.name;
        let (off, warn) = (run(&case(Level::Off), None), run(&case(Level::Warn), None));
        let facts = |e: &Ended| (e.stop.clone(), e.choices, e.instructions, e.trace_hash);
        assert_eq!(facts(&off), facts(&warn), "{name}");
        let silent = told(&case(Level::Off), &Moves::default());
        assert!(broken(&silent).is_empty(), "{name}");
        let warned = told(&case(Level::Warn), &Moves::default());
        assert_eq!(facts(&warned.ended), facts(&off), "{name}, recorded");
        let found = broken(&warned).iter().any(|t| t.oracle == name);
        assert!(found, "{name}: {:#?}", broken(&warned));
    }
}

/// All rules at stop on the correct drivers of every scenario: the run is the one without rules.
#[test]
fn correct_drivers_break_no_rule() {
    for scenario in scenarios() {
        let name = scenario.name.as_str();
        for profile in scenario.profiles.iter().map(|p| p.name()) {
            let free = case(name, profile, &[("driver", "fixed")]);
            let mut watched = free.clone();
            watched
                .plan
                .rules
                .set("all", Level::Stop)
                .expect("all are rules");
            for seed in 1..4 {
                let (free, watched) = (run(&free, Some(seed)), run(&watched, Some(seed)));
                let here = format!("{name} on {profile}, seed {seed}");
                assert_eq!(watched.stop, free.stop, "{here}");
                assert_eq!(watched.trace_hash, free.trace_hash, "{here}");
            }
        }
    }
}

/// The levels of one rule do not touch another: what is broken besides is not what stops.
#[test]
fn only_the_rule_that_is_set_stops() {
    let rule = emu::rules::find("pool-zero").expect("a rule");
    let mut case = pair(rule, "amd64", "broken", 1, Level::Off);
    assert_eq!(run(&case, None).stop, Stop::Completed);
    case.plan.rules = Levels::default();
    case.plan.rules.say("pool-tag=stop").expect("a rule");
    assert_eq!(run(&case, None).stop, Stop::Completed);
    case.plan.rules.say("pool-zero=stop").expect("a rule");
    let Stop::Bugcheck(b) = run(&case, None).stop else {
        panic!("it stops")
    };
    assert_eq!((b.code, b.params), (0xC4, [0, 0, 0, 0]));
}
