//! A read-modify-write without LOCK is two accesses: between them another core may store.

use super::*;
use crate::machine::context::Loaded;

const X86_ADD: Sample = Sample {
    arch: Arch::X86,
    // l: add dword ptr [edi],1; dec ecx; jnz l; jmp ebx
    code: &[0x83, 0x07, 0x01, 0x49, 0x75, 0xFA, 0xFF, 0xE3],
    inputs: [Reg(7), Reg(1), Reg(3)],
    load: 0,
    store: 0,
    round: 3,
};
const X64_INC: Sample = Sample {
    arch: Arch::X64,
    // l: inc dword ptr [rdi]; dec rcx; jnz l; jmp rbx
    code: &[0xFF, 0x07, 0x48, 0xFF, 0xC9, 0x75, 0xF9, 0xFF, 0xE3],
    inputs: [Reg(7), Reg(1), Reg(3)],
    load: 0,
    store: 0,
    round: 3,
};
/// The same with LOCK.
const LOCKED: [Sample; 2] = [
    Sample {
        code: &[0xF0, 0x83, 0x07, 0x01, 0x49, 0x75, 0xF9, 0xFF, 0xE3],
        ..X86_ADD
    },
    Sample {
        code: &[0xF0, 0xFF, 0x07, 0x48, 0xFF, 0xC9, 0x75, 0xF8, 0xFF, 0xE3],
        ..X64_INC
    },
];
pub(super) const UPDATES: [Sample; 2] = [X86_ADD, X64_INC];

/// What is known of a core's next instruction.
#[derive(Clone, Copy)]
pub(super) enum Now {
    Asked(Asked),
    Loaded(Loaded),
}

/// Goes on until the next exit, and makes the load of what is then between two accesses.
pub(super) fn step(s: &mut Setup, core: usize, now: &mut Now) -> Exit {
    let asked = match *now {
        Now::Asked(asked) => asked,
        Now::Loaded(loaded) => match s.engine.give_back(&loaded) {
            true => Asked::Between,
            false => Asked::Before,
        },
    };
    let exit = s.engine.run(core, asked);
    *now = match exit {
        Exit::Between => match s.engine.load(core, 7) {
            Some(loaded) => Now::Loaded(loaded),
            None => Now::Asked(Asked::Between),
        },
        Exit::Deadline => Now::Asked(Asked::No),
        _ => Now::Asked(Asked::Before),
    };
    exit
}

/// What two cores count that take turns at every point.
fn alternating(sample: &Sample, granularity: Granularity, watch: Watch) -> (u64, Setup) {
    let mut s = setup(sample, granularity, watch);
    s.engine.set_choosing(true, true, 0, false);
    let mut now = [Now::Asked(Asked::No); 2];
    let mut done = [false; 2];
    while done.contains(&false) {
        for core in 0..2 {
            if !done[core] {
                let exit = step(&mut s, core, &mut now[core]);
                done[core] = matches!(exit, Exit::Trap(_));
                assert!(matches!(exit, Exit::Trap(_) | Exit::Point | Exit::Between));
            }
        }
    }
    (counter(&s), s)
}

#[test]
fn every_second_update_is_lost_without_lock_and_none_with_it() {
    for granularity in [Granularity::Access, Granularity::Insn] {
        for watch in [Watch::Points, Watch::Recording] {
            for sample in &UPDATES {
                let (count, s) = alternating(sample, granularity, watch);
                assert_eq!(count, ROUNDS, "{granularity:?} {watch:?}");
                assert_eq!(s.engine.retired(), 2 * (ROUNDS * sample.round + 1));
            }
            for sample in &LOCKED {
                let (count, _) = alternating(sample, granularity, watch);
                assert_eq!(count, 2 * ROUNDS, "{granularity:?} {watch:?}");
            }
        }
    }
}

/// One core alone: nothing is lost, wherever it is asked.
#[test]
fn the_points_are_before_and_within() {
    for sample in &UPDATES {
        for split in [true, false] {
            let mut s = setup(sample, Granularity::Access, Watch::Points);
            s.engine.set_choosing(true, split, 0, false);
            let mut now = Now::Asked(Asked::No);
            let mut exits = Vec::new();
            loop {
                match step(&mut s, 0, &mut now) {
                    Exit::Trap(_) => break,
                    exit => exits.push(exit),
                }
                assert_eq!(s.engine.registers(0).get(Reg::PC), s.code);
            }
            let round: &[Exit] = match split {
                true => &[Exit::Point, Exit::Between],
                false => &[Exit::Point],
            };
            assert_eq!(exits, round.repeat(ROUNDS as usize));
            assert_eq!(counter(&s), ROUNDS);
            assert_eq!(s.engine.retired(), ROUNDS * sample.round + 1);
        }
    }
}

#[test]
fn the_load_is_recorded_when_it_is_made() {
    for sample in &UPDATES {
        let (_, s) = alternating(sample, Granularity::Access, Watch::Recording);
        let log = s.engine.accesses();
        let told = |a: &AccessRecord| (a.core, a.write, a.value, a.early);
        // Both cores load, then both store, round after round.
        for (round, four) in log.chunks(4).enumerate() {
            let (old, new) = (round as u64, round as u64 + 1);
            let expected = [
                (0, false, old, Some(7)),
                (1, false, old, Some(7)),
                (0, true, new, None),
                (1, true, new, None),
            ];
            assert_eq!(four.iter().map(told).collect::<Vec<_>>(), expected);
        }
        assert_eq!(log.len() as u64, 4 * ROUNDS);
        assert!(log.is_sorted_by_key(|a| a.retired));
        for a in log {
            assert_eq!((a.address, a.width, a.pc), (s.data, 4, s.code));
            if a.write {
                assert_eq!(s.engine.path()[a.retired as usize - 1], (a.core, a.pc));
            }
        }
    }
}

/// A page that leaves between the two accesses makes the instruction begin again.
#[test]
fn an_update_whose_page_leaves_loads_again() {
    for sample in &UPDATES {
        for watch in [Watch::Points, Watch::Recording] {
            let mut s = setup(sample, Granularity::Access, watch);
            s.engine.set_choosing(true, true, 0, false);
            let mut now = Now::Asked(Asked::No);
            assert_eq!(step(&mut s, 0, &mut now), Exit::Point);
            assert_eq!(step(&mut s, 0, &mut now), Exit::Between);
            assert!(s.memory.write(s.data, &[40]));
            s.memory.change_pages(s.data, 1, |p| p.resident = false);
            s.engine.flush_tlbs();
            // Within the instruction again, and now it cannot load.
            assert_eq!(step(&mut s, 0, &mut now), Exit::Between);
            let fault = Exit::Fault {
                page: s.data,
                access: Access::Read,
            };
            assert_eq!(step(&mut s, 0, &mut now), fault);
            assert_eq!(s.engine.retired(), 0);
            s.memory.change_pages(s.data, 1, |p| p.resident = true);
            assert_eq!(step(&mut s, 0, &mut now), Exit::Between);
            assert_eq!(step(&mut s, 0, &mut now), Exit::Point);
            assert_eq!(counter(&s), 41);
            assert_eq!(s.engine.retired(), sample.round);
        }
    }
}

/// A store between the two accesses is lost, whatever becomes of the machine meanwhile.
#[test]
fn a_snapshot_between_the_accesses_comes_back() {
    for sample in &UPDATES {
        let mut s = setup(sample, Granularity::Access, Watch::Points);
        s.engine.set_choosing(true, true, 0, false);
        let mut now = Now::Asked(Asked::No);
        assert_eq!(step(&mut s, 0, &mut now), Exit::Point);
        assert_eq!(step(&mut s, 0, &mut now), Exit::Between);
        let (image, registers, then) = (s.memory.snapshot(), s.engine.registers(0).save(), now);
        s.engine.flush_tlbs();
        for other in [20, 30] {
            assert!(s.memory.write(s.data, &[other]));
            assert_eq!(step(&mut s, 0, &mut now), Exit::Point);
            assert_eq!(counter(&s), 1, "the other's {other} is lost");
            s.memory.restore(&image);
            s.engine.registers(0).load(&registers);
            s.engine.flush_tlbs();
            now = then;
            assert_eq!(counter(&s), 0);
        }
    }
}
