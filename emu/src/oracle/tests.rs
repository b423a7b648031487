//! Oracles on records made by hand: a machine without drivers, and the events that drivers would
//! have caused. What needs real accesses is in the tests on real drivers.

use isa::Profile;

use super::{Finding, Told, check, find, render, tell};
use crate::choice::{Actor, Moves};
use crate::machine::{Ended, Granularity, Machine, Watch, boot};
use crate::position::Position;
use crate::scenario::{Selection, parse};
use crate::stop::{Awaited, Holder, Stop, Wait, Waiter};
use crate::trace::event::{IrpOp, LockOp, PoolOp, ThreadOp, TimerOp, WaitOp};
use crate::trace::{Event, EventKind};

const MACHINE: &str = r#"
title = "machine"
summary = "nothing"

[machine]
profiles = ["amd64", "i386", "arm64"]
personalities = ["ws2003-sp1"]
cpus = 2
"#;

/// Code addresses that stand for places in a driver.
const PC: u64 = 0x1000;

/// A record in the making.
struct Record {
    m: Machine,
    step: u64,
    irql: [u8; 2],
    /// First address of nonpaged pool.
    pool: u64,
}

impl Record {
    fn new() -> Record {
        Record::with_cpus(2)
    }

    /// Threads 100 and 101 run on the cores 0 and 1.
    fn with_cpus(cpus: u8) -> Record {
        let selection = Selection {
            profile: Some(Profile::Amd64),
            cpus: Some(cpus),
            ..Selection::default()
        };
        let scenario = parse("machine.toml", MACHINE).expect("it is right");
        let nothing = |path: &str| Err(format!("{path}: there are no files"));
        let plan = scenario.expand(&selection, &nothing).expect("it is right");
        let m = boot(&plan, &[], Granularity::Sync, Watch::Recording).expect("nothing is wrong");
        let pool = m.setup.map.nonpaged;
        let step = m.retired();
        let mut record = Record {
            m,
            step,
            irql: [0; 2],
            pool,
        };
        for core in 0..cpus {
            record.thread(core, ThreadOp::Created, 100 + u32::from(core));
        }
        for core in 0..cpus {
            record.thread(core, ThreadOp::Running, 100 + u32::from(core));
        }
        record
    }

    /// Something happens on a core, by the instruction at `PC + place`.
    fn event(&mut self, core: u8, place: u64, kind: EventKind) {
        let at = Position {
            choice: 0,
            step: self.step,
        };
        let irql = self.irql[usize::from(core)];
        let pc = PC + place;
        let event = Event {
            at,
            core,
            irql,
            pc,
            kind,
        };
        self.m.recorder.record(event, Some(vec![pc + 1]));
    }

    fn thread(&mut self, core: u8, op: ThreadOp, thread: u32) {
        self.event(core, 0, EventKind::Thread { op, thread });
    }

    /// A kernel call; what it leads to comes at the same moment.
    fn call(&mut self, core: u8, place: u64, name: &'static str, args: &[u64]) {
        self.step += 1;
        let args = args.into();
        self.event(core, place, EventKind::Call { name, args });
    }

    fn irql(&mut self, core: u8, place: u64, to: u8) {
        let from = std::mem::replace(&mut self.irql[usize::from(core)], to);
        self.event(core, place, EventKind::Irql { from, to });
    }

    fn acquire(&mut self, core: u8, place: u64, lock: u64) {
        self.call(core, place, "KeAcquireSpinLockRaiseToDpc", &[lock]);
        if self.irql[usize::from(core)] < 2 {
            self.irql(core, place, 2);
        }
        let op = LockOp::Acquired;
        self.event(core, place, EventKind::Lock { op, lock });
    }

    fn release(&mut self, core: u8, place: u64, lock: u64, to: u8) {
        self.call(core, place, "KeReleaseSpinLock", &[lock, u64::from(to)]);
        let op = LockOp::Released;
        self.event(core, place, EventKind::Lock { op, lock });
        if to < 2 {
            self.irql(core, place, to);
        }
    }

    fn fill(&mut self, core: u8, place: u64, at: u64, length: u64) {
        self.call(core, place, "RtlZeroMemory", &[at, length]);
    }

    fn pool(&mut self, core: u8, place: u64, op: PoolOp, block: u64, size: u64) {
        let name = match op {
            PoolOp::Freed => "ExFreePool",
            _ => "ExAllocatePool",
        };
        self.call(core, place, name, &[block]);
        let (tag, paged) = (*b"Test", false);
        let kind = EventKind::Pool {
            op,
            block,
            size,
            tag,
            paged,
        };
        self.event(core, place, kind);
    }

    fn enter(&mut self, core: u8, what: &'static str, routine: u64) {
        self.step += 1;
        self.event(core, 0, EventKind::Enter { what, routine });
    }

    fn leave(&mut self, core: u8, what: &'static str) {
        self.step += 1;
        self.event(core, 0, EventKind::Leave { what, value: 0 });
    }

    fn signal(&mut self, core: u8, place: u64, object: u64) {
        self.call(core, place, "KeSetEvent", &[object, 0, 0]);
        let state = 1;
        self.event(core, place, EventKind::Signal { object, state });
    }

    fn satisfied(&mut self, core: u8, object: u64, thread: u32) {
        let op = WaitOp::Satisfied;
        let kind = EventKind::Wait { op, object, thread };
        self.event(core, 0, kind);
    }

    fn ended(&self, stop: Stop) -> Ended {
        Ended {
            stop,
            moves: Moves::default(),
            choices: 0,
            instructions: 0,
            trace_hash: 0,
        }
    }

    fn find(&self, oracle: &str) -> Vec<Finding> {
        self.find_at(oracle, Stop::Completed)
    }

    fn find_at(&self, oracle: &str, stop: Stop) -> Vec<Finding> {
        let oracle = find(oracle).expect("it is an oracle");
        check(&self.m, &self.ended(stop), &[oracle])
    }

    #[track_caller]
    fn one(&self, oracle: &str) -> Finding {
        let mut all = self.find(oracle);
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    #[track_caller]
    fn none(&self, oracle: &str) {
        let all = self.find(oracle);
        assert!(all.is_empty(), "{all:#?}");
    }
}

/// Where the places of a finding are.
fn places(finding: &Finding) -> Vec<u64> {
    finding.places.iter().map(|p| p.pc - PC).collect()
}

const A: u64 = 0x10_0000;
const B: u64 = 0x10_0100;
const GATE: u64 = 0x10_0200;

#[test]
fn two_stores_without_a_lock_race() {
    let mut r = Record::new();
    let at = r.pool;
    r.fill(0, 1, at, 8);
    r.fill(1, 2, at + 4, 8);
    r.fill(1, 3, at + 16, 8);
    let found = r.one("race");
    assert_eq!(places(&found), [1, 2]);
    let actors: Vec<Actor> = found.places.iter().map(|p| p.actor).collect();
    assert_eq!(actors, [Actor::Thread(100), Actor::Thread(101)]);
    assert_eq!(found.count, 1);
}

#[test]
fn a_common_lock_orders_and_another_one_does_not() {
    for (second, races) in [(A, false), (B, true)] {
        let mut r = Record::new();
        let at = r.pool;
        for (core, lock) in [(0, A), (1, second)] {
            r.acquire(core, 1, lock);
            r.fill(core, 2, at, 8);
            r.release(core, 3, lock, 0);
        }
        match races {
            true => {
                let found = r.one("race");
                let locks: Vec<_> = found.places.iter().map(|p| p.locks.clone()).collect();
                assert_eq!(locks, [vec![A], vec![B]]);
            }
            false => r.none("race"),
        }
    }
}

#[test]
fn locks_order_on_one_processor_too() {
    let mut r = Record::with_cpus(1);
    let at = r.pool;
    for thread in [100, 200] {
        r.thread(0, ThreadOp::Running, thread);
        r.call(0, 1, "KeAcquireSpinLockRaiseToDpc", &[A]);
        r.irql(0, 1, 2);
        r.fill(0, 2, at, 8);
        r.call(0, 3, "KeReleaseSpinLock", &[A, 0]);
        r.irql(0, 3, 0);
        r.thread(0, ThreadOp::Parked, thread);
    }
    r.none("race");
    r.thread(0, ThreadOp::Running, 100);
    r.fill(0, 4, at, 8);
    assert_eq!(places(&r.one("race")), [2, 4]);
}

#[test]
fn who_waits_knows_what_the_signaller_did() {
    for satisfied in [true, false] {
        let mut r = Record::new();
        let at = r.pool;
        r.fill(0, 1, at, 8);
        r.signal(0, 2, A);
        if satisfied {
            r.satisfied(0, A, 101);
        }
        r.fill(1, 3, at, 8);
        // What the signaller does afterwards nobody knows.
        r.fill(0, 4, at + 8, 8);
        r.fill(1, 5, at + 8, 8);
        let found: Vec<_> = r.find("race").iter().map(places).collect();
        match satisfied {
            true => assert_eq!(found, [[4, 5]]),
            false => assert_eq!(found, [[1, 3]]),
        }
    }
}

#[test]
fn a_wait_that_need_not_wait_acquires_what_is_signalled() {
    for (state, races) in [(1, false), (0, true)] {
        let mut r = Record::new();
        let at = r.pool;
        r.call(0, 1, "KeInitializeEvent", &[A, 0, 0]);
        r.fill(0, 2, at, 8);
        if state == 1 {
            r.signal(0, 3, A);
        }
        r.call(1, 4, "KeWaitForSingleObject", &[A, 0, 0, 0]);
        r.fill(1, 5, at, 8);
        assert_eq!(!r.find("race").is_empty(), races);
    }
}

#[test]
fn interlocked_updates_do_not_race_and_order() {
    let mut r = Record::new();
    let at = r.pool;
    r.fill(0, 1, at + 8, 8);
    r.call(0, 2, "InterlockedIncrement", &[at]);
    r.call(1, 3, "InterlockedIncrement", &[at]);
    r.fill(1, 4, at + 8, 8);
    r.none("race");
    // A plain store to the same variable is another matter.
    r.fill(0, 5, at, 4);
    assert_eq!(places(&r.one("race")), [3, 5]);
}

#[test]
fn a_dpc_knows_what_was_done_before_it_was_queued() {
    let mut r = Record::new();
    let (at, dpc) = (r.pool, A);
    r.call(0, 1, "KeInitializeDpc", &[dpc, 0x2000, 0]);
    r.fill(0, 2, at, 8);
    r.call(0, 3, "KeInsertQueueDpc", &[dpc, 0, 0]);
    let (queued, target) = (true, 1);
    let kind = EventKind::Dpc {
        queued,
        dpc,
        target,
    };
    r.event(0, 3, kind);
    r.fill(0, 4, at + 8, 8);
    r.irql[1] = 2;
    r.enter(1, "DPC", 0x2000);
    r.fill(1, 5, at, 16);
    r.leave(1, "DPC");
    let found = r.one("race");
    assert_eq!(places(&found), [4, 5]);
    assert_eq!(found.places[1].actor, Actor::Dpc(1));
}

#[test]
fn a_timers_dpc_knows_what_was_done_before_it_was_set() {
    let mut r = Record::new();
    let (at, dpc, timer) = (r.pool, A, B);
    r.call(0, 1, "KeInitializeDpc", &[dpc, 0x2000, 0]);
    r.fill(0, 2, at, 8);
    let op = TimerOp::Set;
    r.event(0, 3, EventKind::Timer { op, timer });
    r.fill(1, 4, at + 8, 8);
    // The clock interrupts thread 101, whose doing it is not.
    let op = TimerOp::Expired;
    r.event(1, 0, EventKind::Timer { op, timer });
    let (queued, target) = (true, 0);
    let kind = EventKind::Dpc {
        queued,
        dpc,
        target,
    };
    r.event(1, 0, kind);
    r.irql[0] = 2;
    r.enter(0, "DPC", 0x2000);
    r.fill(0, 5, at, 16);
    assert_eq!(places(&r.one("race")), [4, 5]);
}

#[test]
fn raised_irql_excludes_the_dpcs_of_the_same_core_only() {
    for (core, races) in [(0, false), (1, true)] {
        let mut r = Record::new();
        let at = r.pool;
        r.call(0, 1, "KfRaiseIrql", &[2]);
        r.irql(0, 1, 2);
        r.fill(0, 2, at, 8);
        r.call(0, 3, "KfLowerIrql", &[0]);
        r.irql(0, 3, 0);
        r.irql[usize::from(core)] = 2;
        r.enter(core, "DPC", 0x2000);
        r.fill(core, 4, at, 8);
        r.leave(core, "DPC");
        assert_eq!(!r.find("race").is_empty(), races, "core {core}");
    }
}

#[test]
fn the_wrong_lock_does_not_protect_by_the_core_it_is_held_on() {
    let mut r = Record::new();
    let at = r.pool;
    for (thread, lock) in [(100, A), (200, B)] {
        r.thread(0, ThreadOp::Running, thread);
        r.acquire(0, 1, lock);
        r.fill(0, 2, at, 8);
        r.release(0, 3, lock, 0);
        r.thread(0, ThreadOp::Parked, thread);
    }
    assert_eq!(places(&r.one("race")), [2, 2]);
}

#[test]
fn a_requester_knows_that_its_request_is_completed() {
    for owner in [100, 300] {
        let mut r = Record::new();
        let (at, irp) = (r.pool, A);
        let (major, minor, device, status) = (14, 0, 0, 0);
        let mut op = IrpOp::Dispatched;
        r.thread(0, ThreadOp::Parked, 100);
        r.thread(0, ThreadOp::Running, owner);
        r.event(
            0,
            1,
            EventKind::Irp {
                op,
                irp,
                major,
                minor,
                device,
                status,
            },
        );
        r.enter(0, "dispatch", 0x2000);
        r.leave(0, "dispatch");
        r.fill(1, 2, at, 8);
        op = IrpOp::Completed;
        r.event(
            1,
            3,
            EventKind::Irp {
                op,
                irp,
                major,
                minor,
                device,
                status,
            },
        );
        r.thread(0, ThreadOp::Parked, owner);
        r.thread(0, ThreadOp::Running, 100);
        r.enter(0, "dispatch", 0x2000);
        r.fill(0, 4, at, 8);
        assert_eq!(r.find("race").is_empty(), owner == 100, "thread {owner}");
    }
}

#[test]
fn freeing_races_with_use_and_a_new_block_is_new() {
    let mut r = Record::new();
    let block = r.pool;
    r.pool(0, 1, PoolOp::Allocated, block, 0x40);
    r.call(1, 2, "InterlockedIncrement", &[A]);
    r.fill(1, 3, block + 8, 8);
    r.pool(0, 4, PoolOp::Freed, block, 0x40);
    r.pool(1, 5, PoolOp::Allocated, block, 0x40);
    r.fill(1, 6, block, 0x40);
    let found = r.one("race");
    assert_eq!(places(&found), [3, 4]);
    assert!(
        found
            .object
            .is_some_and(|o| o.address == block && o.length == 0x40)
    );
}

#[test]
fn locks_in_two_orders_are_found_without_a_deadlock() {
    let mut r = Record::new();
    for (core, first, second) in [(0, A, B), (1, B, A)] {
        r.acquire(core, 1, first);
        r.acquire(core, 2, second);
        r.release(core, 3, second, 2);
        r.release(core, 4, first, 0);
    }
    let found = r.one("lock-order");
    assert_eq!(places(&found), [1, 2, 1, 2]);
    let held = |i: usize| found.places[i].locks.clone();
    assert_eq!([held(1), held(3)], [vec![B], vec![A]]);
}

#[test]
fn a_gate_lets_the_orders_differ() {
    let mut r = Record::new();
    for (core, first, second) in [(0, A, B), (1, B, A)] {
        r.acquire(core, 0, GATE);
        r.acquire(core, 1, first);
        r.acquire(core, 2, second);
        r.release(core, 3, second, 2);
        r.release(core, 4, first, 2);
        r.release(core, 5, GATE, 0);
    }
    r.none("lock-order");
}

#[test]
fn three_locks_in_a_circle() {
    let mut r = Record::new();
    for (first, second) in [(A, B), (B, GATE), (GATE, A)] {
        r.acquire(0, 1, first);
        r.acquire(0, 2, second);
        r.release(0, 3, second, 2);
        r.release(0, 4, first, 0);
    }
    assert_eq!(r.one("lock-order").places.len(), 6);
}

#[test]
fn mutexes_have_an_order_too() {
    let mut r = Record::new();
    for mutex in [A, B] {
        r.call(0, 0, "KeInitializeMutex", &[mutex, 0]);
    }
    for (core, first, second) in [(0, A, B), (1, B, A)] {
        for (place, mutex) in [(1, first), (2, second)] {
            r.call(core, place, "KeWaitForSingleObject", &[mutex, 0, 0, 0]);
        }
        for (place, object) in [(3, second), (4, first)] {
            r.call(core, place, "KeReleaseMutex", &[object, 0]);
            let state = 1;
            r.event(core, place, EventKind::Signal { object, state });
        }
    }
    assert_eq!(places(&r.one("lock-order")), [1, 2, 1, 2]);
}

#[test]
fn a_deadlock_is_told_as_a_chain() {
    let mut r = Record::new();
    r.acquire(0, 1, A);
    r.acquire(1, 2, B);
    for (core, place, lock) in [(0, 3, B), (1, 4, A)] {
        r.call(core, place, "KeAcquireSpinLockAtDpcLevel", &[lock]);
        let op = LockOp::Contended;
        r.event(core, place, EventKind::Lock { op, lock });
    }
    let wait = |core: u8, lock: u64| Wait {
        waiter: Waiter::Core {
            core,
            thread: Some(100 + u32::from(core)),
        },
        awaited: Awaited::SpinLock(lock),
        holder: Some(Holder::Core(1 - core)),
        since: Some(Position::default()),
    };
    let waits = vec![wait(0, B), wait(1, A)];
    let found = r.find_at("deadlock", Stop::Deadlock { waits });
    assert_eq!(found.len(), 1);
    assert!(found[0].what.contains("circle"), "{}", found[0].what);
    assert_eq!(places(&found[0]), [2, 3, 1, 4]);
    assert_eq!(found[0].places[1].locks, [A]);
    r.none("deadlock");
}

#[test]
fn use_of_a_freed_block() {
    let mut r = Record::new();
    let block = r.pool;
    r.pool(0, 1, PoolOp::Allocated, block, 0x20);
    r.fill(0, 2, block, 0x20);
    r.none("use-after-free");
    r.pool(0, 3, PoolOp::Freed, block, 0x20);
    r.fill(0, 4, block + 0x18, 8);
    assert_eq!(places(&r.one("use-after-free")), [1, 3, 4]);
    r.none("overrun");
    // Somebody else's block now.
    r.pool(0, 5, PoolOp::Allocated, block, 0x20);
    r.fill(0, 6, block, 8);
    assert_eq!(r.find("use-after-free").len(), 1);
}

#[test]
fn past_the_end_of_a_block() {
    let mut r = Record::new();
    let block = r.pool;
    r.pool(0, 1, PoolOp::Allocated, block, 0x1D);
    r.fill(0, 2, block, 0x1D);
    r.none("overrun");
    r.fill(0, 3, block + 0x18, 8);
    r.fill(0, 4, block + 0x1E, 2);
    let found: Vec<_> = r.find("overrun").iter().map(places).collect();
    assert_eq!(found, [[1, 3], [1, 4]]);
}

#[test]
fn findings_are_told() {
    let mut r = Record::new();
    let at = r.pool;
    r.fill(0, 1, at, 8);
    r.fill(1, 2, at, 8);
    let found = r.one("race");
    let told: Told = tell(&r.m, &found);
    let text = render(&told);
    for words in [
        "race: ",
        "(1) earlier here",
        "(2) now here",
        "holding no lock",
        "help: ",
    ] {
        assert!(text.contains(words), "no '{words}' in\n{text}");
    }
    let json = serde_json::to_value(&told).expect("it has a JSON form");
    assert_eq!(json["places"][1]["number"], 2);
    assert_eq!(json["order_matters"], serde_json::Value::Null);
    let other = Finding {
        count: 7,
        ..found.clone()
    };
    assert_eq!(found.signature(), other.signature());
}
