//! The engine on hand-assembled loops: what is counted, where it stops, what a fault looks like.

use isa::{Arch, Reg, RegisterAccess};

use super::engine::{AccessRecord, Asked, Engine, Exit, Granularity, Watch};
use super::memory::{Memory, RegionKind, Rights, Stale};
use crate::stop::Access;

mod updates;

use updates::{Now, UPDATES, step};

/// A loop that increments a counter in memory, and then jumps to a trap: `[a0] += 1`, `a1` times.
struct Sample {
    arch: Arch,
    code: &'static [u8],
    /// Counter address, loop count, trap.
    inputs: [Reg; 3],
    /// Offsets of the load and of the store.
    load: u64,
    store: u64,
    /// Instructions per round.
    round: u64,
}

const SAMPLES: [Sample; 3] = [
    Sample {
        arch: Arch::X86,
        // l: mov eax,[edi]; inc eax; mov [edi],eax; dec ecx; jnz l; jmp ebx
        code: &[0x8B, 0x07, 0x40, 0x89, 0x07, 0x49, 0x75, 0xF8, 0xFF, 0xE3],
        inputs: [Reg(7), Reg(1), Reg(3)],
        load: 0,
        store: 3,
        round: 5,
    },
    Sample {
        arch: Arch::X64,
        code: &[
            0x48, 0x8B, 0x07, 0x48, 0xFF, 0xC0, 0x48, 0x89, 0x07, 0x48, 0xFF, 0xC9, 0x75, 0xF2,
            0xFF, 0xE3,
        ],
        inputs: [Reg(7), Reg(1), Reg(3)],
        load: 0,
        store: 6,
        round: 5,
    },
    Sample {
        arch: Arch::Arm64,
        // l: ldr x2,[x0]; add x2,x2,#1; str x2,[x0]; subs x1,x1,#1; b.ne l; br x3
        code: &[
            0x02, 0x00, 0x40, 0xF9, 0x42, 0x04, 0x00, 0x91, 0x02, 0x00, 0x00, 0xF9, 0x21, 0x04,
            0x00, 0xF1, 0x81, 0xFF, 0xFF, 0x54, 0x60, 0x00, 0x1F, 0xD6,
        ],
        inputs: [Reg(0), Reg(1), Reg(3)],
        load: 0,
        store: 8,
        round: 5,
    },
];

const ROUNDS: u64 = 10;

struct Setup {
    memory: Box<Memory>,
    engine: Engine,
    code: u64,
    data: u64,
    trap: u64,
}

fn setup(sample: &Sample, granularity: Granularity, watch: Watch) -> Setup {
    let high: u64 = if sample.arch == Arch::X86 {
        0x8000_0000
    } else {
        0xFFFF_F800_0000_0000
    };
    let (code, data, trap) = (high + 0x10_0000, high + 0x20_0000, high + 0x30_0000);
    let mut memory = Box::new(Memory::new(16));
    assert!(memory.map(code, 1, RegionKind::Image(0), Rights::EXECUTE, false));
    assert!(memory.map(data, 2, RegionKind::NonPagedPool, Rights::WRITE, false));
    assert!(memory.map(trap, 1, RegionKind::Traps(0), Rights::EXECUTE, false));
    assert!(memory.write(code, sample.code));
    let traps = trap..trap + 0x1000;
    let engine = Engine::new(
        sample.arch,
        2,
        &mut memory,
        code..code + 0x1000,
        traps,
        granularity,
        watch,
    )
    .unwrap();
    for core in 0..2 {
        let mut live = engine.registers(core);
        let values = [data, ROUNDS, trap + 0x10];
        sample
            .inputs
            .iter()
            .zip(values)
            .for_each(|(&r, v)| live.set(r, v));
        live.set(Reg::PC, code);
    }
    Setup {
        memory,
        engine,
        code,
        data,
        trap,
    }
}

fn counter(s: &Setup) -> u64 {
    use isa::Mem;
    s.memory.read_u32(s.data).unwrap().into()
}

#[test]
fn counts_every_instruction_and_stops_at_the_trap() {
    for sample in &SAMPLES {
        for granularity in Granularity::ALL {
            for watch in [Watch::Points, Watch::Recording] {
                let mut s = setup(sample, granularity, watch);
                assert_eq!(
                    s.engine.run(0, false),
                    Exit::Trap(s.trap + 0x10),
                    "{granularity:?}"
                );
                assert_eq!(
                    s.engine.retired(),
                    ROUNDS * sample.round + 1,
                    "{granularity:?}"
                );
                assert_eq!(counter(&s), ROUNDS);
                assert_eq!(s.engine.registers(0).get(Reg::PC), s.trap + 0x10);
            }
        }
    }
}

#[test]
fn the_budget_is_exact_at_every_granularity() {
    for sample in &SAMPLES {
        for granularity in Granularity::ALL {
            for watch in [Watch::Points, Watch::Recording] {
                for budget in 0..3 * sample.round {
                    let mut s = setup(sample, granularity, watch);
                    s.engine.set_deadline(budget);
                    assert_eq!(
                        s.engine.run(0, false),
                        Exit::Deadline,
                        "{granularity:?} {budget}"
                    );
                    assert_eq!(s.engine.retired(), budget, "{granularity:?} {watch:?}");
                    s.engine.set_deadline(u64::MAX);
                    assert_eq!(s.engine.run(0, false), Exit::Trap(s.trap + 0x10));
                    assert_eq!(s.engine.retired(), ROUNDS * sample.round + 1);
                    assert_eq!(counter(&s), ROUNDS, "{granularity:?} {budget}");
                }
            }
        }
    }
}

#[test]
fn points_are_before_accesses_and_lose_nothing() {
    for sample in &SAMPLES {
        let mut s = setup(sample, Granularity::Access, Watch::Points);
        s.engine.set_choosing(true, true, 0, false);
        let mut points = Vec::new();
        let mut asked = false;
        loop {
            match s.engine.run(0, asked) {
                Exit::Point => points.push(s.engine.registers(0).get(Reg::PC) - s.code),
                Exit::Trap(_) => break,
                other => panic!("{other:?}"),
            }
            asked = true;
        }
        let expected = [sample.load, sample.store].repeat(ROUNDS as usize);
        assert_eq!(points, expected);
        assert_eq!(counter(&s), ROUNDS);
        assert_eq!(s.engine.retired(), ROUNDS * sample.round + 1);
    }
}

#[test]
fn quiet_points_are_counted_and_the_promise_is_kept() {
    for sample in &SAMPLES {
        let mut s = setup(sample, Granularity::Access, Watch::Points);
        s.engine.set_choosing(true, true, 5, true);
        assert_eq!(s.engine.run(0, false), Exit::Point);
        assert_eq!(s.engine.passed().0, 5);
        assert!(s.engine.promise_kept());
        assert_eq!(s.engine.registers(0).get(Reg::PC), s.code + sample.store);
    }
}

/// Two cores, a switch between every load and store: every second update is lost.
#[test]
fn interleaving_loses_updates() {
    for sample in &SAMPLES {
        let mut s = setup(sample, Granularity::Access, Watch::Points);
        s.engine.set_choosing(true, true, 0, false);
        let mut done = [false; 2];
        let mut asked = [false; 2];
        while !(done[0] && done[1]) {
            for core in 0..2 {
                if !done[core] {
                    match s.engine.run(core, asked[core]) {
                        Exit::Point => asked[core] = true,
                        Exit::Trap(_) => done[core] = true,
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
        assert_eq!(counter(&s), ROUNDS);
    }
}

#[test]
fn a_fault_leaves_the_instruction_undone() {
    for sample in &SAMPLES {
        for granularity in Granularity::ALL {
            let mut s = setup(sample, granularity, Watch::Points);
            s.engine.set_deadline(2 * sample.round);
            assert_eq!(s.engine.run(0, false), Exit::Deadline);
            s.memory.take_stale();
            s.memory.change_pages(s.data, 1, |p| p.resident = false);
            let Stale::Pages(pages) = s.memory.take_stale() else {
                panic!("one page was taken away");
            };
            s.engine.forget_pages(&pages);
            s.engine.set_deadline(u64::MAX);
            let fault = Exit::Fault {
                page: s.data,
                access: Access::Read,
            };
            assert_eq!(s.engine.run(0, false), fault);
            assert_eq!(s.engine.retired(), 2 * sample.round, "{granularity:?}");
            assert_eq!(s.engine.registers(0).get(Reg::PC), s.code + sample.load);
            s.memory.change_pages(s.data, 1, |p| p.resident = true);
            assert_eq!(s.engine.run(0, true), Exit::Trap(s.trap + 0x10));
            assert_eq!(counter(&s), ROUNDS);
            assert_eq!(s.engine.retired(), ROUNDS * sample.round + 1);
        }
    }
}

#[test]
fn a_snapshot_comes_back() {
    for sample in &SAMPLES {
        let mut s = setup(sample, Granularity::Sync, Watch::Points);
        s.engine.set_deadline(sample.round);
        s.engine.run(0, false);
        let image = s.memory.snapshot();
        let registers = s.engine.registers(0).save();
        s.engine.flush_tlbs();
        s.engine.set_deadline(u64::MAX);
        for _ in 0..3 {
            s.engine.run(0, false);
            assert_eq!(counter(&s), ROUNDS);
            s.memory.restore(&image);
            s.engine.registers(0).load(&registers);
            s.engine.flush_tlbs();
            assert_eq!(counter(&s), 1);
        }
    }
}

#[test]
fn recorded_accesses_are_complete() {
    for sample in &SAMPLES {
        let mut s = setup(sample, Granularity::Access, Watch::Recording);
        s.engine.run(0, false);
        let log = s.engine.accesses();
        assert_eq!(log.len() as u64, 2 * ROUNDS);
        for (i, access) in log.iter().enumerate() {
            assert_eq!(access.write, i % 2 == 1);
            assert_eq!(access.address, s.data);
            let offset = if access.write {
                sample.store
            } else {
                sample.load
            };
            assert_eq!(access.pc, s.code + offset);
            let index = access.retired as usize - 1;
            assert_eq!(s.engine.path()[index], (0, access.pc));
        }
        assert_eq!(log[3].value, 2);
    }
}

/// Counting by blocks and counting by instructions are two ways to the same moments: whatever is
/// promised, whatever the budget, wherever a page is missing.
#[test]
fn blocks_count_what_instructions_count() {
    for sample in SAMPLES.iter().chain(&UPDATES) {
        for granularity in [Granularity::Access, Granularity::Insn] {
            // On both sides of where the engine begins to count by blocks.
            for quiet in 28..44 {
                for budget in [u64::MAX, 2 * quiet + 1, 3 * quiet] {
                    let run = |watch| journey(sample, granularity, watch, quiet, budget);
                    let (blocks, insns) = (run(Watch::Points), run(Watch::Recording));
                    assert_eq!(blocks, insns, "{granularity:?} {quiet} {budget}");
                }
            }
        }
    }
}

/// An exit: what it was, instructions retired, points passed, whether a promise was kept, and the PC.
type Stage = (Exit, u64, (u64, u64), bool, u64);

/// Where a core comes by: each exit, and what was counted there.
fn journey(
    sample: &Sample,
    granularity: Granularity,
    watch: Watch,
    quiet: u64,
    budget: u64,
) -> Vec<Stage> {
    let mut s = setup(sample, granularity, watch);
    s.engine.registers(0).set(sample.inputs[1], 100);
    let mut journey = Vec::new();
    let mut now = Now::Asked(Asked::No);
    s.engine.set_deadline(budget);
    loop {
        s.engine.set_choosing(true, true, quiet, true);
        let exit = step(&mut s, 0, &mut now);
        let pc = s.engine.registers(0).get(Reg::PC);
        let kept = s.engine.promise_kept();
        journey.push((exit, s.engine.retired(), s.engine.passed(), kept, pc));
        match exit {
            Exit::Trap(_) => return journey,
            Exit::Fault { .. } => s.memory.change_pages(s.data, 1, |p| p.resident = true),
            Exit::Deadline => s.engine.set_deadline(u64::MAX),
            // The page leaves once, at the third stop.
            _ if journey.len() == 3 => {
                s.memory.change_pages(s.data, 1, |p| p.resident = false);
                s.engine.flush_tlbs();
            }
            _ => {}
        }
    }
}
