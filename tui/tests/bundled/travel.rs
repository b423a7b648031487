//! Walking runs in both directions: the machine at a moment is the same whichever way it got there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use emu::campaign::Case;
use emu::explain::{RunHeader, explain};
use emu::machine::{Ended, Granularity};
use emu::position::Position;
use emu::scene::{self, View};
use emu::travel::{Datum, Direction, Focus, Goal, Motion, Record, Traveller};

use crate::support::{self, CASES, Shared, case, run};

/// The record of a run.
fn record(case: &Case, granularity: Granularity, ended: &Ended) -> Record {
    let told = explain(case, granularity, &ended.moves, &RunHeader::default()).unwrap();
    assert_eq!(told.ended.trace_hash, ended.trace_hash);
    Record::new(told)
}

/// That of a run that stops, at granularity `access`. A record does not change: it is made once.
fn crash(scenario: &str, profile: &str) -> Arc<Record> {
    static MADE: Shared<(String, String), Record> = Shared::new();
    MADE.get((scenario.into(), profile.into()), || {
        let crash = support::crash(scenario, profile);
        record(&case(scenario, profile, &[]), Granularity::Access, &crash.1)
    })
}

/// A recorded run and a machine to walk it with: at granularity `access` one that stops.
fn travel(scenario: &str, profile: &str, granularity: Granularity) -> (Arc<Record>, Traveller) {
    let case = case(scenario, profile, &[]);
    let record = match granularity {
        Granularity::Access => crash(scenario, profile),
        _ => Arc::new(record(&case, granularity, &run(&case, granularity, 2))),
    };
    let traveller = Traveller::new(&case, granularity, record.clone()).unwrap();
    (record, traveller)
}

/// Moments spread over a run, not in order, the same every time.
fn moments(record: &Record, count: u64) -> Vec<Position> {
    let (start, end) = (record.retired(record.first()), record.path().len() as u64);
    let mut at = 0x9E37_79B9u64;
    let mut next = || {
        at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        start + (at >> 33) % (end - start)
    };
    (0..count).map(|_| record.moment(next())).collect()
}

#[test]
fn a_run_with_pauses_is_the_run() {
    for (scenario, profile) in CASES {
        for granularity in Granularity::ALL {
            let (record, mut traveller) = travel(scenario, profile, granularity);
            let mut moments = moments(&record, 60);
            moments.sort();
            for at in moments {
                traveller.seek(at);
                let here = traveller.machine().position();
                assert_eq!(here, at, "{scenario} {profile} {granularity:?}");
            }
            let here = format!("{scenario} {profile} {granularity:?}");
            let ended = traveller.seek(record.focus_at_end().at).expect(&here);
            assert_eq!(ended.trace_hash, record.ended.trace_hash, "{here}");
            assert_eq!(ended.stop, record.ended.stop, "{here}");
        }
    }
}

/// In any order, from any snapshot: a moment has one machine.
#[test]
fn a_moment_is_one_machine() {
    for (scenario, profile) in CASES {
        let case = case(scenario, profile, &[]);
        let (record, mut traveller) = travel(scenario, profile, Granularity::Access);
        let moments = moments(&record, 50);
        let mut digests = BTreeMap::new();
        let mut sorted = moments.clone();
        sorted.sort();
        for &at in &sorted {
            traveller.seek(at);
            digests.insert(at, traveller.machine().digest());
        }
        let different: BTreeSet<u64> = digests.values().copied().collect();
        assert_eq!(different.len(), digests.len(), "{scenario} {profile}");
        for &at in moments.iter().chain(sorted.iter().rev()) {
            traveller.seek(at);
            let digest = traveller.machine().digest();
            assert_eq!(digest, digests[&at], "{scenario} {profile} at {at}");
        }
        // A machine that never paused before.
        let mut other = Traveller::new(&case, Granularity::Access, record.clone()).unwrap();
        for &at in &moments[..5] {
            let mut fresh = Traveller::new(&case, Granularity::Access, record.clone()).unwrap();
            fresh.seek(at);
            other.seek(at);
            assert_eq!(
                fresh.machine().digest(),
                digests[&at],
                "{scenario} {profile}"
            );
            assert_eq!(
                other.machine().digest(),
                digests[&at],
                "{scenario} {profile}"
            );
        }
    }
}

/// The boot is part of the run: every `DriverEntry` can be walked, and left both ways.
#[test]
fn the_boot_is_walked_like_the_rest() {
    let none = BTreeSet::new();
    for (scenario, profile) in CASES {
        let (record, mut traveller) = travel(scenario, profile, Granularity::Access);
        let here = format!("{scenario} {profile}");
        let booted = record.retired(record.booted());
        assert!(booted > 100, "{here}: {booted} instructions");
        let moments: Vec<u64> = (0..40).map(|n| n * booted / 40).collect();
        let mut digests = BTreeMap::new();
        for &retired in moments.iter().chain(moments.iter().rev()) {
            let at = record.moment(retired);
            traveller.seek(at);
            assert_eq!(traveller.machine().position(), at, "{here}");
            let (core, pc) = record.path()[retired as usize];
            let registers = traveller.machine().registers(usize::from(core));
            assert_eq!(registers.pc, pc, "{here} at {at}");
            let digest = traveller.machine().digest();
            assert_eq!(*digests.entry(at).or_insert(digest), digest, "{here} {at}");
            // Out of the boot and back into it.
            traveller.seek(record.moment(booted + retired));
        }
        assert_eq!(digests.len(), moments.len(), "{here}");
        let start = record.focus_on(record.focus_at_end(), Goal::Start);
        assert_eq!(start.at, Position::default());
        let entry = record.pc(start.core, 0).and_then(|pc| record.source(pc));
        let entry = entry.map(|frame| frame.function).unwrap_or_default();
        assert!(entry.contains("DriverEntry"), "{here}: {entry}");
        // Forward over the end of the boot, and back.
        let mut at = record.focus_on(start, Goal::Booted);
        assert_eq!(record.retired(at.at), booted);
        at = record
            .go(at, Motion::Event, Direction::Backward, &none)
            .unwrap();
        assert!(at.at <= record.booted(), "{here}");
        at = record
            .go(at, Motion::Run, Direction::Backward, &none)
            .unwrap();
        assert_eq!(at.at, record.first(), "{here}");
        let ended = traveller.seek(record.focus_at_end().at).expect(&here);
        assert_eq!(ended.trace_hash, record.ended.trace_hash, "{here}");
    }
}

/// A thousand instructions back and forth again, from the end and from the middle.
#[test]
fn a_thousand_steps_back_and_forth() {
    let none = BTreeSet::new();
    for (scenario, profile) in CASES {
        let (record, mut traveller) = travel(scenario, profile, Granularity::Access);
        let end = record.focus_at_end();
        for start in [end, record.focus_on(end, Goal::Share(0.6))] {
            // From just before an instruction of the core, so that the way back is the way there.
            let step = |from: Focus, way| record.go(from, Motion::Instruction, way, &none);
            let start = step(start, Direction::Backward).unwrap();
            traveller.seek(start.at);
            let digest = traveller.machine().digest();
            let mut at = start;
            for _ in 0..1000 {
                at = step(at, Direction::Backward).unwrap();
                traveller.seek(at.at);
            }
            assert!(at.at < start.at);
            for _ in 0..1000 {
                at = step(at, Direction::Forward).unwrap();
                traveller.seek(at.at);
            }
            let here = format!("{scenario} {profile} from {}", start.at);
            // Forward ends behind the instruction; others may have run before it.
            traveller.seek(start.at);
            assert_eq!(traveller.machine().digest(), digest, "{here}");
            assert!(
                record.retired(at.at) <= record.retired(start.at) + 1,
                "{here}"
            );
        }
    }
}

/// What the record says about a moment is what the machine shows there.
#[test]
fn the_record_and_the_machine_agree() {
    for (scenario, profile) in CASES {
        let (record, mut traveller) = travel(scenario, profile, Granularity::Access);
        for at in moments(&record, 100) {
            traveller.seek(at);
            let retired = record.retired(at);
            let (core, pc) = record.path()[retired as usize];
            let registers = traveller.machine().registers(usize::from(core));
            let insn = traveller.machine().insn(registers.pc);
            // What the engine performs itself, as `mov cr8`, is no step of the path.
            let special = insn.is_some_and(|insn| insn.special != isa::Special::None);
            assert!(
                special || registers.pc == pc,
                "{scenario} {profile} at {at}"
            );
            assert_eq!(traveller.machine().retired(), retired);
        }
        // A store of the record is in memory behind it, and is found by looking for it.
        let stores = record.accesses().iter().filter(|a| a.write && a.width == 4);
        let late = |a: &&emu::machine::AccessRecord| a.retired > record.retired(record.first());
        for store in stores.filter(late).step_by(97).take(50) {
            let behind = record.moment(store.retired);
            traveller.seek(behind);
            let mut bytes = [0; 4];
            assert!(traveller.machine().memory.read(store.address, &mut bytes));
            let from = Focus {
                at: behind,
                core: store.core,
                event: None,
                datum: Some(Datum {
                    address: store.address,
                    length: 4,
                }),
            };
            let back = record.go(from, Motion::Write, Direction::Backward, &BTreeSet::new());
            let back = back.expect("it has been written");
            assert_eq!(
                record.retired(back.at),
                store.retired - 1,
                "{scenario} {profile}"
            );
            assert_eq!(record.path()[store.retired as usize - 1].1, store.pc);
            // The memory pane says the same of who wrote there last.
            let view = View {
                machine: traveller.machine(),
                record: &record,
                focus: from,
            };
            let listing = (scene::find("memory").unwrap().list)(&view);
            let row = &listing.rows[listing.current.unwrap()];
            let datum = row.datum.unwrap();
            assert!(datum.is_touched(store.address, 1), "{scenario} {profile}");
            assert_eq!((row.at, row.core), (Some(back.at), Some(store.core)));
            let value = u32::from_le_bytes(bytes);
            let others = record
                .accesses()
                .iter()
                .filter(|a| a.write && a.retired == store.retired);
            assert!(
                others.count() > 1 || u64::from(value) == store.value,
                "{scenario} {profile}: {value:x} at {:x}",
                store.address
            );
        }
    }
}

#[test]
fn every_motion_has_a_way_back() {
    let none = BTreeSet::new();
    let record = crash("kb931322", "amd64");
    let end = record.focus_at_end();
    for motion in [
        Motion::Instruction,
        Motion::Over,
        Motion::Out,
        Motion::Line,
        Motion::Event,
        Motion::CoreEvent,
        Motion::Choice,
        Motion::Deviation,
    ] {
        let mut at = end;
        let mut steps = 0;
        while steps < 300
            && let Some(to) = record.go(at, motion, Direction::Backward, &none)
        {
            let earlier = (to.at, to.event) < (at.at, at.event) || to.at < at.at;
            assert!(earlier, "{motion:?}: {} to {}", at.at, to.at);
            (at, steps) = (to, steps + 1);
        }
        // A fault in the outermost function has nothing to go out to.
        assert!(
            steps > 5 || motion == Motion::Out && steps > 0,
            "{motion:?}: {steps}"
        );
        let mut at = record.focus_on(end, Goal::Share(0.3));
        let mut forth = 0;
        while forth < 300
            && let Some(to) = record.go(at, motion, Direction::Forward, &none)
        {
            let later = (to.at, to.event) > (at.at, at.event);
            assert!(later, "{motion:?}: {} to {}", at.at, to.at);
            (at, forth) = (to, forth + 1);
        }
        assert!(
            forth > 5 || motion == Motion::Out && forth > 0,
            "{motion:?}: {forth}"
        );
    }
}

#[test]
fn calls_are_stepped_over_and_out_of() {
    let none = BTreeSet::new();
    for (scenario, profile) in CASES {
        let record = crash(scenario, profile);
        let start = record.retired(record.first()) as usize;
        let calls = (start..record.path().len()).filter(|&i| {
            let insn = record.insn(record.path()[i].1);
            insn.is_some_and(|insn| matches!(insn.flow, isa::Flow::Call { .. }))
        });
        let (mut over, mut out) = (0, 0);
        for i in calls.step_by(23).take(200) {
            let (core, pc) = record.path()[i];
            let from = Focus {
                at: record.moment(i as u64),
                core,
                event: None,
                datum: None,
            };
            let behind = record.insn(pc).unwrap().next();
            let go = |from, motion, way| record.go(from, motion, way, &none);
            let here = |focus: Focus| record.pc(focus.core, record.retired(focus.at)).unwrap();
            // The run may end inside the call.
            let Some(after) = go(from, Motion::Over, Direction::Forward) else {
                continue;
            };
            if here(after) != behind {
                continue;
            }
            over += 1;
            let back = go(after, Motion::Over, Direction::Backward).unwrap();
            assert_eq!(here(back), pc, "{scenario} {profile}: back over {pc:x}");
            assert_eq!(back.at, from.at, "{scenario} {profile}: back over {pc:x}");
            let into = go(from, Motion::Instruction, Direction::Forward).unwrap();
            let entered = here(into);
            if entered == behind {
                continue;
            }
            let Some(left) = go(into, Motion::Out, Direction::Forward) else {
                continue;
            };
            if left.core == core && here(left) == behind {
                out += 1;
            }
        }
        assert!(
            over > 50 && out > 10,
            "{scenario} {profile}: {over} over, {out} out"
        );
    }
}

#[test]
fn goals_are_read() {
    let position = |choice, step| Goal::Position(Position { choice, step });
    let good = [
        ("start", Goal::Start),
        ("booted", Goal::Booted),
        ("end", Goal::End),
        ("50%", Goal::Share(0.5)),
        ("1842:17", position(1842, 17)),
        ("1842", position(1842, 0)),
    ];
    for (text, goal) in good {
        assert_eq!(text.parse(), Ok(goal), "{text}");
    }
    for text in ["", "x", "101%", "-1%", "1:", ":2", "1:2:3", "NaN%"] {
        let error = text.parse::<Goal>().unwrap_err();
        assert!(error.contains("CHOICE:STEP"), "{text}: {error}");
    }
}
