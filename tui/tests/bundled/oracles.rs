//! Oracles on runs of the built drivers: what is wrong with the defective ones is named by its
//! lines, and the correct ones give nothing. Needs `cargo xtask drivers`.

use crate::scenarios::scenarios;
use crate::support::{Setting, case, crash, first, load, plan, told};
use emu::campaign::{Campaign, Case};
use emu::choice::strategy::{Random, Replay};
use emu::choice::{Actor, Moves};
use emu::machine::{Ended, Granularity, Machine, Watch};
use emu::oracle::{self, Told};
use emu::report::Place;
use emu::rules;
use emu::stop::{Limit, Stop};
use isa::Arch;

/// A run, recorded.
#[track_caller]
fn recorded(case: &Case, moves: &Moves) -> (Machine, Ended) {
    let boot = case.boot(Granularity::Access, Watch::Recording);
    let mut machine = boot.unwrap_or_else(|e| panic!("{e}"));
    let ended = machine.run(Box::new(Replay::new(moves.clone())));
    (machine, ended)
}

/// What one oracle finds, told.
fn found(machine: &Machine, ended: &Ended, oracle: &str) -> Vec<Told> {
    let oracle = oracle::find(oracle).expect("it is an oracle");
    let all = oracle::check(machine, ended, &[oracle]);
    all.iter().map(|f| oracle::tell(machine, f)).collect()
}

fn names(stack: &[Place], function: &str) -> bool {
    let named = |p: &Place| p.function.as_deref().is_some_and(|f| f.ends_with(function));
    stack.iter().any(named)
}

/// The walk of a table without the interface's lock, and the reset that frees it.
#[test]
fn the_walk_and_the_reset_race() {
    for profile in ["amd64", "i386"] {
        let case = case("kb931322", profile, &[]);
        let (_, crash) = &*crash("kb931322", profile);
        assert!(matches!(crash.stop, Stop::Bugcheck(_)), "{:?}", crash.stop);
        let (machine, ended) = recorded(&case, &crash.moves);
        assert_eq!(ended.trace_hash, crash.trace_hash);
        let races = found(&machine, &ended, "race");
        let about = |t: &Told| {
            let [walk, free] = t.places.as_slice() else {
                panic!("{t:#?}")
            };
            walk.place.function.as_deref() == Some("ipnat::preserve::find_preserved_address")
                && names(&walk.stack, "translate::outbound")
                && names(&walk.stack, "receive_packet")
                && names(&free.stack, "reset::reset_interface")
                && free.role.starts_with("frees")
        };
        assert!(races.iter().any(about), "{profile}: {races:#?}");
        // Nothing else races in these drivers.
        let file = |t: &Told| t.places[0].place.source.clone().map(|(file, _)| file);
        let others = races
            .iter()
            .filter(|t| !file(t).is_some_and(|f| f.ends_with("ipnat/src/preserve.rs")));
        assert_eq!(others.count(), 0, "{profile}: {races:#?}");
        for pc in oracle::racy_pcs(&machine) {
            let place = emu::explain::MachineNames::new(&machine).resolve(pc);
            let source = place.source.as_ref().map(|(file, _)| file.as_str());
            assert!(
                source.is_some_and(|f| f.ends_with("preserve.rs")),
                "{place}"
            );
        }
        assert!(!oracle::racy_pcs(&machine).is_empty());
        // The walk goes on in the freed table, and that is where the machine stops.
        let uses = found(&machine, &ended, "use-after-free");
        let [told] = uses.as_slice() else {
            panic!("{uses:#?}")
        };
        let [alloc, free, used] = told.places.as_slice() else {
            panic!("{told:#?}")
        };
        assert!(names(&alloc.stack, "preserve::create"), "{alloc:#?}");
        assert!(names(&free.stack, "reset::reset_interface"), "{free:#?}");
        assert!(names(&used.stack, "find_preserved_address"), "{used:#?}");
        assert!(names(&used.stack, "receive_packet"), "{used:#?}");
    }
}

/// Whether a request looks at the flag before or after it is set makes no difference while nobody
/// comes between the look and the count. In a run of wronglock that stops, every race is to blame.
#[test]
fn the_other_order_of_a_race_is_tried() {
    let orders = |name: &str, stops: bool| {
        let case = case(name, "amd64", &[]);
        let moves = match stops {
            true => first(&case, |e| e.stop != Stop::Completed).1.moves,
            false => Moves::default(),
        };
        let races = told(&case, &moves).report.findings.into_iter();
        let races = races.filter(|f| f.oracle == "race");
        races
            .map(|f| {
                let other = f.other_order.expect("it was tried");
                (f.order_matters, other.ends, other.same_end)
            })
            .collect::<Vec<_>>()
    };
    let completed = || "completed".to_owned();
    let flag = orders("bluetooth", false);
    assert_eq!(flag, [(Some(false), completed(), true)]);
    let counter = orders("wronglock", true);
    assert!(!counter.is_empty());
    for race in counter {
        assert_eq!(race, (Some(true), completed(), false));
    }
}

/// The correct drivers of every scenario, on every profile, whatever the schedule: no oracle gives a
/// false alarm, not even one that is off unless it is asked for.
#[test]
fn correct_drivers_give_nothing() {
    let all: Vec<&oracle::Oracle> = oracle::ORACLES.iter().collect();
    for scenario in scenarios() {
        let name = scenario.name.as_str();
        // A shape's block of pool takes other ways through its driver.
        let mut variants: Vec<Vec<Setting<'_>>> = vec![vec![("driver", "fixed")]];
        if scenario.settings.iter().any(|s| s.name == "pool") {
            variants.push(vec![("driver", "fixed"), ("pool", "true")]);
        }
        for (profile, settings) in scenario
            .profiles
            .iter()
            .flat_map(|p| variants.iter().map(move |v| (p.name(), v)))
        {
            let case = case(name, profile, settings);
            let mut campaign =
                Campaign::new(&case, Granularity::Access).unwrap_or_else(|e| panic!("{e}"));
            let random = (1..=4).map(Some);
            for seed in [None].into_iter().chain(random) {
                let moves = seed.map(|seed| campaign.run(Box::new(Random::new(seed))).moves);
                let (machine, ended) = recorded(&case, &moves.unwrap_or_default());
                let mut found = rules::findings(&machine);
                found.extend(oracle::check(&machine, &ended, &all));
                let found = found.iter().map(|f| oracle::tell(&machine, f));
                let found: Vec<String> = found.map(|told| oracle::render(&told)).collect();
                assert!(
                    found.is_empty(),
                    "{name} {settings:?} on {profile}, seed {seed:?}\n{}",
                    found.join("\n")
                );
            }
        }
    }
}

/// The router whose control routine begins with `code`, and that many instructions at most.
fn patched(profile: &str, code: [&[u8]; 3], instructions: u64) -> Case {
    let mut plan =
        plan("kb931322", profile, &[("driver", "fixed")], &[]).unwrap_or_else(|e| panic!("{e}"));
    plan.limits.instructions = instructions;
    let mut case = load(plan);
    let image = &mut case
        .drivers
        .iter_mut()
        .find(|d| d.image.name == "ipnat.sys");
    let image = &mut image.as_mut().expect("it is there").image;
    let code = match image.arch {
        Arch::X86 => code[0],
        Arch::X64 => code[1],
        Arch::Arm64 => code[2],
    };
    let at = image.symbol_address("ipnat::control::dispatch_device_control");
    let at = (at.expect("it has symbols") - image.base) as usize;
    image.data[at..at + code.len()].copy_from_slice(code);
    case
}

#[test]
fn a_routine_that_runs_in_circles() {
    // jmp self; nop, jmp to the nop; nop, b to the nop.
    let code: [&[u8]; 3] = [
        &[0xEB, 0xFE],
        &[0x90, 0xEB, 0xFD],
        &[0x1F, 0x20, 0x03, 0xD5, 0xFF, 0xFF, 0xFF, 0x17],
    ];
    for (profile, length) in [("i386", 1), ("amd64", 2), ("ia64", 2)] {
        let case = patched(profile, code, 300_000);
        let (machine, ended) = recorded(&case, &Moves::default());
        let stop = matches!(
            ended.stop,
            Stop::Limit {
                limit: Limit::Instructions,
                ..
            }
        );
        assert!(stop, "{profile}: {:?}", ended.stop);
        let all = found(&machine, &ended, "livelock");
        let [told] = all.as_slice() else {
            panic!("{profile}: {all:#?}")
        };
        let what = format!("a loop of {length} instructions");
        assert_eq!(told.what, what, "{profile}");
        assert!(told.count > 1000, "{profile}: {} rounds", told.count);
        assert!(
            names(&told.places[0].stack, "dispatch_device_control"),
            "{told:#?}"
        );
    }
}

/// A routine that raises the IRQL and returns.
#[test]
fn a_routine_that_returns_too_high() {
    // mov eax,2; mov cr8,rax; xor eax,eax; ret
    let code: &[u8] = &[0xB8, 2, 0, 0, 0, 0x44, 0x0F, 0x22, 0xC0, 0x31, 0xC0, 0xC3];
    let case = patched("amd64", [&[], code, &[]], 300_000);
    let (machine, _) = recorded(&case, &Moves::default());
    let all = rules::findings(&machine);
    let of_return = |f: &&oracle::Finding| f.oracle == "irql-dispatch-return";
    let first = all.iter().find(of_return).expect("it is found");
    assert!(
        first
            .what
            .contains("a dispatch routine entered at IRQL 0 returns at IRQL 2"),
        "{}",
        first.what
    );
    assert!(matches!(first.places[1].actor, Actor::Thread(_)));
}

/// Special pool changes where blocks are and nothing that a correct driver could notice; a use of
/// freed memory stops the machine at the use.
#[test]
fn special_pool_is_only_noticed_by_who_is_wrong() {
    let special = |profile: &str, driver: &str| {
        let set = [("driver", driver)];
        let mut plan = plan("kb931322", profile, &set, &[]).unwrap_or_else(|e| panic!("{e}"));
        plan.memory.special_pool = true;
        load(plan)
    };
    for profile in ["amd64", "ia64"] {
        let (machine, ended) = recorded(&special(profile, "fixed"), &Moves::default());
        assert_eq!(ended.stop, Stop::Completed, "{profile}");
        let page = machine.setup.profile.page_size();
        let blocks: Vec<(u64, emu::nt::pool::Block)> = machine.state.nt.pools.blocks().collect();
        assert!(!blocks.is_empty());
        for (at, block) in blocks {
            let end = (at + block.size).next_multiple_of(2 * machine.arch().pointer_size());
            assert_eq!(end % page, 0, "{profile}: {at:#x} {block:?}");
            assert!(machine.memory.miss(end, emu::stop::Access::Read).is_some());
            assert!(machine.memory.miss(at, emu::stop::Access::Read).is_none());
        }
        let all = oracle::check(&machine, &ended, &oracle::defaults());
        assert!(all.is_empty(), "{profile}: {all:#?}");
    }
    let case = special("amd64", "buggy");
    let (_, crash) = first(&case, |e| matches!(e.stop, Stop::Bugcheck(_)));
    let (machine, ended) = recorded(&case, &crash.moves);
    assert_eq!(found(&machine, &ended, "use-after-free").len(), 1);
}
