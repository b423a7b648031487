//! What happens before what in a run: the edges between actors, as vector clocks.
//!
//! An edge goes from who releases to who acquires: a spin lock or mutex, an atomic variable, a
//! dispatcher object that is signalled and waited for, a DPC that is queued and runs, a timer, a
//! thread that is created or ends, an IRP that is handed over, an adapter that is opened or closed.
//!
//! Two things on one processor exclude each other at DISPATCH_LEVEL and above without any lock, and
//! drivers rely on that for what they keep per processor. So a stretch at that level is like holding
//! a lock of the core's own. A thread that is there only because it holds a spin lock relies on that
//! lock, though, and on which core it runs is an accident of this run: two such stretches are not
//! ordered by the core. No driver code runs in the modelled interrupts, so device levels need no
//! more.

use std::collections::BTreeMap;

use super::clock::Clock;
use super::walk::{Change, Walk};
use crate::choice::{Actor, Effect};
use crate::nt::effect;
use crate::trace::EventKind;
use crate::trace::event::{IrpOp, PoolOp, ThreadOp, TimerOp, WaitOp};

/// What is released and acquired, by address where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A spin lock or a mutex.
    Lock(u64),
    /// A variable that is accessed indivisibly.
    Atomic(u64),
    /// A dispatcher object.
    Object(u64),
    /// A timer that is set.
    Timer(u64),
    /// An IRP on its way down.
    Irp(u64),
    /// IRPs that have been completed.
    Completions,
    /// A core at DISPATCH_LEVEL; true: by a spin lock only.
    Core(u8, bool),
    /// Adapters that were opened or asked for something.
    Opened,
    /// Receive handlers that have come back.
    Received,
    /// Packets that were given back.
    Returned,
}

/// IRP_MJ_CLOSE and IRP_MJ_CLEANUP (`wdm.h`).
const LAST: [u8; 2] = [0x02, 0x12];
/// `SynchronizationEvent` (`wdm.h`).
const SYNCHRONIZATION: u64 = 1;

/// A dispatcher object as far as calls have told.
#[derive(Clone, Copy)]
struct Signal {
    state: i64,
    /// What a wait that it satisfies takes from the state; `None`: all of it.
    takes: Option<i64>,
}

/// A DPC in a queue.
struct Queued {
    dpc: u64,
    target: u8,
    clock: Clock,
}

/// The clocks of a run so far.
#[derive(Default)]
pub struct Order {
    /// Locks, atomic variables and cores order nothing.
    only_hand_overs: bool,
    actors: BTreeMap<Actor, usize>,
    names: Vec<Actor>,
    clocks: Vec<Clock>,
    released: BTreeMap<Key, Clock>,
    /// What everybody knows.
    base: Clock,
    signals: BTreeMap<u64, Signal>,
    queued: Vec<Queued>,
    /// Routines by KDPC.
    routines: BTreeMap<u64, u64>,
    /// The stretch at DISPATCH_LEVEL of each core's thread; true: by a spin lock only.
    sections: BTreeMap<u8, bool>,
    /// Threads whose requests the I/O manager makes synchronous, by IRP.
    owners: BTreeMap<u64, Actor>,
    /// What completed requests tell the threads that made them.
    done: BTreeMap<Actor, Clock>,
    /// The request just made on a core, if the I/O manager waits for it.
    dispatched: BTreeMap<u8, bool>,
    /// Activations whose request the I/O manager waits for, by event.
    synchronous: BTreeMap<usize, bool>,
    /// Objects of waits for several.
    several: BTreeMap<Actor, Vec<u64>>,
}

impl Order {
    /// An order in which only what hands over control counts, not what merely excludes.
    pub fn of_hand_overs() -> Order {
        Order {
            only_hand_overs: true,
            ..Order::default()
        }
    }

    /// The index of an actor.
    pub fn index(&mut self, actor: Actor) -> usize {
        if let Some(&i) = self.actors.get(&actor) {
            return i;
        }
        let i = self.names.len();
        self.actors.insert(actor, i);
        self.names.push(actor);
        let mut clock = self.base.clone();
        clock.advance(i);
        self.clocks.push(clock);
        i
    }

    /// What an actor knows.
    pub fn clock(&mut self, actor: Actor) -> &Clock {
        let i = self.index(actor);
        &self.clocks[i]
    }

    /// The actor learns what was released there.
    pub fn acquire(&mut self, actor: Actor, key: Key) {
        let i = self.index(actor);
        if self.only_hand_overs && matches!(key, Key::Lock(_) | Key::Atomic(_) | Key::Core(..)) {
            return;
        }
        if let Some(clock) = self.released.get(&key) {
            self.clocks[i].join(clock);
        }
    }

    /// Tells who acquires there what the actor knows.
    pub fn release(&mut self, actor: Actor, key: Key) {
        let clock = self.tell(actor);
        self.released.entry(key).or_default().join(&clock);
    }

    /// What was released at a key.
    pub fn released(&self, key: Key) -> Option<&Clock> {
        self.released.get(&key)
    }

    /// What the actor knows, which it tells somebody: what it does from now on is new.
    fn tell(&mut self, actor: Actor) -> Clock {
        let i = self.index(actor);
        let clock = self.clocks[i].clone();
        self.clocks[i].advance(i);
        clock
    }

    fn learn(&mut self, actor: Actor, clock: &Clock) {
        let i = self.index(actor);
        self.clocks[i].join(clock);
    }

    /// Memory begins a new life: what was in it is forgotten.
    pub fn forget(&mut self, start: u64, length: u64) {
        let end = start.saturating_add(length);
        let kinds: [fn(u64) -> Key; 5] =
            [Key::Lock, Key::Atomic, Key::Object, Key::Timer, Key::Irp];
        for kind in kinds {
            let range = self.released.range(kind(start)..kind(end));
            let keys: Vec<Key> = range.map(|(k, _)| *k).collect();
            keys.iter().for_each(|k| drop(self.released.remove(k)));
        }
        self.signals.retain(|&at, _| at < start || end <= at);
    }

    /// Everything so far happens before everything to come.
    fn barrier(&mut self) {
        let mut all = std::mem::take(&mut self.base);
        self.clocks.iter().for_each(|c| all.join(c));
        for (i, clock) in self.clocks.iter_mut().enumerate() {
            clock.join(&all);
            clock.advance(i);
        }
        self.base = all;
    }

    /// An event comes.
    pub fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        let actor = walk.actor(e.core);
        if let Some(c) = walk.lock_change(event) {
            match c.change {
                Change::Taken => self.acquire(c.actor, Key::Lock(c.lock)),
                Change::Released => self.release(c.actor, Key::Lock(c.lock)),
                Change::Wanted => {}
            }
        }
        match &e.kind {
            EventKind::Call { name, args } => self.call(walk, event, actor, name, args),
            EventKind::Signal { object, state } => self.signalled(walk, e.core, *object, *state),
            EventKind::Wait {
                op: WaitOp::Satisfied,
                object,
                thread,
            } => {
                let thread = Actor::Thread(*thread);
                self.acquire(thread, Key::Object(*object));
                for object in self.several.remove(&thread).unwrap_or_default() {
                    self.acquire(thread, Key::Object(object));
                }
                self.take(*object);
                self.requests_done(thread);
            }
            EventKind::Leave { what, .. } => {
                let all = walk.activations(actor);
                if what.starts_with("Receive") {
                    self.release(actor, Key::Received);
                }
                if let Some(a) = all.last()
                    && self.synchronous.remove(&a.event) == Some(true)
                {
                    self.requests_done(actor);
                }
                if let (Actor::Dpc(core), 1) = (actor, all.len()) {
                    self.release(actor, Key::Core(core, false));
                }
            }
            EventKind::Pool {
                op: PoolOp::Allocated,
                block,
                size,
                ..
            } => self.forget(*block, *size),
            EventKind::Thread {
                op: ThreadOp::Created,
                thread,
            } => {
                // Only the end of the boot creates threads on a core that idles.
                if let Actor::Dispatcher(_) = actor {
                    self.barrier();
                }
                let clock = self.tell(actor);
                self.learn(Actor::Thread(*thread), &clock);
            }
            _ => {}
        }
    }

    /// An event has come.
    pub fn after(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        let actor = walk.actor(e.core);
        match &e.kind {
            EventKind::Irql { from, to } => self.irql(walk, event, *from, *to),
            EventKind::Enter { what, routine } => {
                let depth = walk.activations(actor).len();
                if let (Actor::Dpc(core), 1) = (actor, depth) {
                    self.acquire(actor, Key::Core(core, false));
                    self.acquire(actor, Key::Core(core, true));
                }
                if depth == 1 {
                    self.requests_done(actor);
                }
                match *what {
                    "DPC" => self.dpc_runs(actor, e.core, *routine),
                    "CloseAdapterComplete" => self.acquire(actor, Key::Received),
                    "dispatch" => {
                        let waits = self.dispatched.remove(&e.core).unwrap_or(false);
                        self.synchronous.insert(event, waits);
                    }
                    what if what.starts_with("Receive") => self.acquire(actor, Key::Opened),
                    _ => {}
                }
            }
            EventKind::Dpc {
                queued,
                dpc,
                target,
            } => {
                if !queued {
                    self.queued.retain(|q| q.dpc != *dpc);
                    return;
                }
                let clock = match walk.clock(e.core) {
                    Some(timer) => self.released(Key::Timer(timer)).cloned(),
                    None => Some(self.tell(actor)),
                };
                let (dpc, target) = (*dpc, *target);
                let clock = clock.unwrap_or_default();
                self.queued.push(Queued { dpc, target, clock });
            }
            EventKind::Timer {
                op: TimerOp::Set,
                timer,
            } => self.release(actor, Key::Timer(*timer)),
            EventKind::Irp { op, irp, major, .. } => match op {
                IrpOp::Dispatched => {
                    let call = walk.call(event).map(|c| &walk.event_at(c).kind);
                    let by_driver = matches!(call, Some(EventKind::Call { name, .. }) if name.ends_with("CallDriver"));
                    self.dispatched.insert(e.core, !by_driver);
                    if !by_driver {
                        self.owners.insert(*irp, actor);
                    }
                    if LAST.contains(major) {
                        self.acquire(actor, Key::Completions);
                    }
                    self.release(actor, Key::Irp(*irp));
                }
                IrpOp::Completed => {
                    self.acquire(actor, Key::Irp(*irp));
                    self.release(actor, Key::Completions);
                    let clock = self.tell(actor);
                    if let Some(owner) = self.owners.remove(irp) {
                        self.done.entry(owner).or_default().join(&clock);
                    }
                }
                IrpOp::Cancelled => {}
            },
            _ => {}
        }
    }

    fn call(&mut self, walk: &Walk<'_>, event: usize, actor: Actor, name: &str, args: &[u64]) {
        let Some(&first) = args.first() else { return };
        match name {
            "KeInitializeDpc" => drop(self.routines.insert(first, args[1])),
            "KeInitializeEvent" => {
                let takes = (args[1] != SYNCHRONIZATION).then_some(0);
                let state = i64::from(args[2] != 0);
                self.signals.insert(first, Signal { state, takes });
            }
            "KeInitializeSemaphore" => {
                let state = args[1] as i64;
                let takes = Some(1);
                self.signals.insert(first, Signal { state, takes });
            }
            // That it is queued already tells that it has not begun: it will see all of this.
            "KeInsertQueueDpc" => {
                let clock = self.tell(actor);
                let all = self.queued.iter_mut().filter(|q| q.dpc == first);
                all.for_each(|q| q.clock.join(&clock));
            }
            "KeWaitForSingleObject" => {
                let wanted = walk.lock_change(event).is_some_and(|c| c.mutex);
                if !wanted && self.take(first) {
                    self.acquire(actor, Key::Object(first));
                }
            }
            "KeWaitForMultipleObjects" => self.wait_for_several(walk, event, actor, args),
            "KeReadStateEvent" | "KeResetEvent" | "KeClearEvent" => {
                self.acquire(actor, Key::Object(first));
            }
            "NdisOpenAdapter" | "NdisRegisterProtocol" | "NdisRequest" => {
                self.release(actor, Key::Opened);
            }
            "NdisCloseAdapter" => self.acquire(actor, Key::Received),
            "NdisReturnPackets" => self.release(actor, Key::Returned),
            _ if updates(name) => {
                self.acquire(actor, Key::Atomic(first));
                self.release(actor, Key::Atomic(first));
            }
            _ => {}
        }
    }

    /// A wait for as many objects as the first argument says, listed at the second.
    fn wait_for_several(&mut self, walk: &Walk<'_>, event: usize, actor: Actor, args: &[u64]) {
        let (count, list) = (args[0].min(64), args[1]);
        let size = walk.machine.arch().pointer_size();
        let until = walk.machine.retired_at(walk.event_at(event).at);
        let log = walk.machine.accesses();
        let log = &log[..log.partition_point(|a| a.retired <= until)];
        let stored = |at: u64| log.iter().rev().find(|a| a.write && a.address == at);
        let objects = (0..count).filter_map(|i| stored(list + i * size).map(|a| a.value));
        let objects: Vec<u64> = objects.collect();
        for &object in &objects {
            if self.signals.get(&object).is_none_or(|s| s.state > 0) {
                self.acquire(actor, Key::Object(object));
            }
        }
        // 0 is WaitAll (`wdm.h`).
        if args.get(2) == Some(&0) {
            self.several.insert(actor, objects);
        }
    }

    /// A wait takes what it may of an object's state. Whether there may have been any.
    fn take(&mut self, object: u64) -> bool {
        let Some(signal) = self.signals.get_mut(&object) else {
            return true;
        };
        if signal.state <= 0 {
            return false;
        }
        signal.state -= signal.takes.unwrap_or(signal.state);
        true
    }

    fn signalled(&mut self, walk: &Walk<'_>, core: u8, object: u64, state: i32) {
        let takes = Some(0);
        let known = self.signals.entry(object);
        known.or_insert(Signal { state: 0, takes }).state = i64::from(state);
        if state <= 0 {
            return;
        }
        let key = Key::Object(object);
        match (walk.clock(core), walk.ended(core)) {
            (Some(timer), _) => {
                if let Some(clock) = self.released(Key::Timer(timer)).cloned() {
                    self.released.entry(key).or_default().join(&clock);
                }
            }
            (None, Some(thread)) => self.release(Actor::Thread(thread), key),
            (None, None) => self.release(walk.actor(core), key),
        }
    }

    /// A thread hears that requests of its own have been completed.
    fn requests_done(&mut self, actor: Actor) {
        if let Some(clock) = self.done.remove(&actor) {
            self.learn(actor, &clock);
        }
    }

    /// A DPC routine begins. The record does not say for which KDPC, but which of those in the
    /// core's queue have this routine.
    fn dpc_runs(&mut self, actor: Actor, core: u8, routine: u64) {
        let fits = |q: &Queued, routines: &BTreeMap<u64, u64>| {
            q.target == core && routines.get(&q.dpc).is_none_or(|&r| r == routine)
        };
        let all = self.queued.iter().filter(|q| fits(q, &self.routines));
        let clocks: Vec<Clock> = all.map(|q| q.clock.clone()).collect();
        clocks.iter().for_each(|c| self.learn(actor, c));
        let first = self.queued.iter().position(|q| fits(q, &self.routines));
        if let Some(at) = first {
            self.queued.remove(at);
        }
    }

    /// The stretches of a core's thread at DISPATCH_LEVEL and above.
    fn irql(&mut self, walk: &Walk<'_>, event: usize, from: u8, to: u8) {
        let e = walk.event_at(event);
        let dispatch = walk.machine.irqls().dispatch;
        let actor = walk.actor(e.core);
        if !matches!(actor, Actor::Thread(_)) {
            return;
        }
        if from < dispatch && dispatch <= to {
            let call = walk.call(event).map(|c| &walk.event_at(c).kind);
            let by_lock = match call {
                Some(EventKind::Call { name, .. }) => by_lock(walk, name),
                _ => false,
            };
            self.sections.insert(e.core, by_lock);
            self.acquire(actor, Key::Core(e.core, false));
            if !by_lock {
                self.acquire(actor, Key::Core(e.core, true));
            }
        } else if to < dispatch
            && let Some(by_lock) = self.sections.remove(&e.core)
        {
            self.release(actor, Key::Core(e.core, by_lock));
        }
    }
}

/// Whether a kernel function takes a spin lock whose edges the record has: with one processor only
/// those that the driver names as an argument.
fn by_lock(walk: &Walk<'_>, name: &'static str) -> bool {
    let named = matches!(walk.effect(name), effect::Kind::Lock(_, Effect::Acquire));
    named || (walk.machine.cpus() > 1 && name.contains("SpinLock"))
}

/// Whether a kernel function updates what its first argument points to, indivisibly.
fn updates(name: &str) -> bool {
    let name = name.strip_prefix("Ex").unwrap_or(name);
    let name = name.trim_start_matches(['f', 'p']);
    name.starts_with("Interlocked")
        || matches!(
            name,
            "ObDereferenceObject" | "ObfDereferenceObject" | "ObfReferenceObject"
        )
}
