//! A recorded run again from its beginning, event by event and access by access, with what every
//! core is doing: which actor runs, which routines the kernel has entered, which locks are held.
//!
//! Nothing is executed. The record has the events in order, and beside them, in their own order,
//! the accesses and the path; the count of retired instructions puts them into one.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::choice::{Actor, Effect};
use crate::machine::{AccessRecord, Machine};
use crate::nt::{self, effect};
use crate::trace::event::{LockOp, ThreadOp, TimerOp, WaitOp};
use crate::trace::{Event, EventKind};

/// Routines that the kernel enters only while it drains a core's DPC queue: drivers' DPCs, and the
/// receive handlers that a miniport's DPC calls.
const IN_DPC: [&str; 4] = ["DPC", "Receive", "ReceivePacket", "ReceiveComplete"];

/// What an oracle wants to hear of a run.
pub trait Observer {
    /// Whether [`Observer::access`] is to be called.
    const ACCESSES: bool = false;
    /// Whether [`Observer::insn`] is to be called.
    const PATH: bool = false;

    /// An event of that index comes; `walk` is as before it.
    fn before(&mut self, _walk: &Walk<'_>, _event: usize) {}
    /// An event has come; `walk` is as after it.
    fn after(&mut self, _walk: &Walk<'_>, _event: usize) {}
    /// An access of that index in the access log is made.
    fn access(&mut self, _walk: &Walk<'_>, _access: usize) {}
    /// The instruction of that index in the path is executed.
    fn insn(&mut self, _walk: &Walk<'_>, _index: usize) {}
}

/// A lock that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Address of the lock word, or of the mutex.
    pub lock: u64,
    /// The event that has the stack of who takes it.
    pub event: usize,
    /// The event by which it was taken.
    pub taken: usize,
    /// Whether it is a mutex, which threads hold, and not a spin lock, which cores hold.
    pub mutex: bool,
}

/// A driver's routine that the kernel has entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// What kind of routine.
    pub what: &'static str,
    /// Its address.
    pub routine: u64,
    /// The event by which it was entered.
    pub event: usize,
}

/// What happens to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody has it now.
    Taken,
    /// Somebody wants it and cannot have it yet.
    Wanted,
    /// It is free.
    Released,
}

/// A change of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockChange {
    /// What happens.
    pub change: Change,
    /// Address of the lock.
    pub lock: u64,
    /// Whether it is a mutex.
    pub mutex: bool,
    /// Who has it, wants it or releases it.
    pub actor: Actor,
}

#[derive(Clone, Default)]
struct CoreNow {
    thread: Option<u32>,
    /// The DPC queue is being drained.
    dpc: bool,
    /// Levels of the interrupts in service.
    interrupts: Vec<u8>,
    irql: u8,
    held: Vec<Hold>,
    /// The event by which the core last began to spin, and the lock.
    wanted: Option<(usize, u64)>,
    /// The clock is at work, on behalf of nobody on the core; a timer, if it is one's turn.
    clock: Option<u64>,
    /// The thread that has ended on the core just now.
    ended: Option<u32>,
}

/// The state of the walk.
pub struct Walk<'a> {
    /// The machine whose run it is.
    pub machine: &'a Machine,
    cores: Vec<CoreNow>,
    activations: BTreeMap<Actor, Vec<Activation>>,
    /// The last kernel call of each, by its event.
    calls: BTreeMap<Actor, usize>,
    /// Mutexes that were initialised, and who has them how often.
    mutexes: BTreeMap<u64, Option<(u32, u32)>>,
    mutexes_held: BTreeMap<u32, Vec<Hold>>,
    /// Effects of kernel functions by name, once they were looked up.
    effects: RefCell<BTreeMap<&'static str, effect::Kind>>,
}

/// Walks a recorded run from its beginning to its end.
pub fn walk<O: Observer>(machine: &Machine, observer: &mut O) {
    let mut walk = Walk {
        machine,
        cores: vec![CoreNow::default(); machine.state.cores.len()],
        activations: BTreeMap::new(),
        calls: BTreeMap::new(),
        mutexes: BTreeMap::new(),
        mutexes_held: BTreeMap::new(),
        effects: RefCell::default(),
    };
    let (log, path) = (machine.accesses(), machine.path());
    let (mut access, mut insn) = (0, 0);
    for (i, event) in machine.recorder.events().iter().enumerate() {
        let until = machine.retired_at(event.at);
        let choices = event.at.choice;
        walk.pass(observer, until, choices, &mut access, &mut insn);
        observer.before(&walk, i);
        walk.event(i, event);
        observer.after(&walk, i);
    }
    let all = log.last().map_or(0, |a| a.retired).max(path.len() as u64);
    walk.pass(observer, all, u64::MAX, &mut access, &mut insn);
}

impl<'a> Walk<'a> {
    /// Instructions and accesses until so many instructions have retired, after so many choices.
    fn pass<O: Observer>(
        &mut self,
        observer: &mut O,
        until: u64,
        choices: u64,
        access: &mut usize,
        insn: &mut usize,
    ) {
        let machine = self.machine;
        if O::PATH {
            let end = machine.path().len().min(until as usize);
            while *insn < end {
                observer.insn(self, *insn);
                *insn += 1;
            }
        }
        if O::ACCESSES {
            let log = machine.accesses();
            let made = |a: &AccessRecord| {
                a.retired <= until || a.early.is_some_and(|before| before < choices)
            };
            while log.get(*access).is_some_and(made) {
                observer.access(self, *access);
                *access += 1;
            }
        }
    }

    /// An event of the run.
    pub fn event_at(&self, event: usize) -> &'a Event {
        &self.machine.recorder.events()[event]
    }

    /// Who runs on a core.
    pub fn actor(&self, core: u8) -> Actor {
        let c = &self.cores[usize::from(core)];
        match c.thread {
            _ if !c.interrupts.is_empty() => Actor::Interrupt(core),
            _ if c.dpc => Actor::Dpc(core),
            Some(thread) => Actor::Thread(thread),
            None => Actor::Dispatcher(core),
        }
    }

    /// The IRQL of a core.
    pub fn irql(&self, core: u8) -> u8 {
        self.cores[usize::from(core)].irql
    }

    /// The timer on whose behalf the clock does what happens on a core now; 0 for the end of a
    /// wait. `None` if what happens is the doing of who runs there.
    pub fn clock(&self, core: u8) -> Option<u64> {
        self.cores[usize::from(core)].clock
    }

    /// The thread that has ended on a core just now, whose end is being told.
    pub fn ended(&self, core: u8) -> Option<u32> {
        self.cores[usize::from(core)].ended
    }

    /// The kernel call that an event on its core is part of, by its own event.
    pub fn call(&self, event: usize) -> Option<usize> {
        let e = self.event_at(event);
        let call = *self.calls.get(&self.actor(e.core))?;
        let c = self.event_at(call);
        (c.at == e.at && c.pc == e.pc).then_some(call)
    }

    /// The routines that the kernel has entered in what an actor does, innermost last.
    pub fn activations(&self, actor: Actor) -> &[Activation] {
        self.activations.get(&actor).map_or(&[], Vec::as_slice)
    }

    /// The locks held on a core, by it or by its thread, in the order in which they were taken.
    pub fn held(&self, core: u8) -> Vec<Hold> {
        let mut all = self.cores[usize::from(core)].held.clone();
        if let Actor::Thread(id) = self.actor(core)
            && let Some(more) = self.mutexes_held.get(&id)
        {
            all.extend(more);
            all.sort_by_key(|h| h.taken);
        }
        all
    }

    /// The spin locks held on a core.
    pub fn spin_locks(&self, core: u8) -> &[Hold] {
        &self.cores[usize::from(core)].held
    }

    /// The mutexes that a thread has.
    pub fn mutexes(&self, thread: u32) -> &[Hold] {
        self.mutexes_held.get(&thread).map_or(&[], Vec::as_slice)
    }

    /// What an event that comes does to a lock.
    pub fn lock_change(&self, event: usize) -> Option<LockChange> {
        let e = self.event_at(event);
        let actor = self.actor(e.core);
        let spin = |change, lock| LockChange {
            change,
            lock,
            mutex: false,
            actor,
        };
        let mutex = |change, lock, thread| LockChange {
            change,
            lock,
            mutex: true,
            actor: Actor::Thread(thread),
        };
        match &e.kind {
            EventKind::Lock { op, lock } => {
                let change = match op {
                    LockOp::Acquired => Change::Taken,
                    LockOp::Released => Change::Released,
                    LockOp::Contended => Change::Wanted,
                };
                Some(spin(change, *lock))
            }
            EventKind::Call { name, args } => {
                let lock = *args.first()?;
                // With one processor the kernel leaves the lock word alone, and tells nothing.
                if self.cores.len() == 1 {
                    match self.effect(name) {
                        effect::Kind::Lock(0, Effect::Acquire) => {
                            return Some(spin(Change::Taken, lock));
                        }
                        effect::Kind::Lock(0, Effect::Release) => {
                            return Some(spin(Change::Released, lock));
                        }
                        _ => {}
                    }
                }
                let Actor::Thread(thread) = actor else {
                    return None;
                };
                let waits = matches!(self.effect(name), effect::Kind::Wait(0, _));
                let owner = self.mutexes.get(&lock).filter(|_| waits)?;
                let free = owner.is_none_or(|(owner, _)| owner == thread);
                let change = if free { Change::Taken } else { Change::Wanted };
                Some(mutex(change, lock, thread))
            }
            EventKind::Wait {
                op: WaitOp::Satisfied,
                object,
                thread,
            } if self.mutexes.contains_key(object) => Some(mutex(Change::Taken, *object, *thread)),
            EventKind::Signal { object, .. } => {
                let (owner, _) = (*self.mutexes.get(object)?)?;
                Some(mutex(Change::Released, *object, owner))
            }
            _ => None,
        }
    }

    /// What a kernel function touches.
    pub fn effect(&self, name: &'static str) -> effect::Kind {
        let mut known = self.effects.borrow_mut();
        *known.entry(name).or_insert_with(|| {
            let api = nt::find(name);
            api.map_or(effect::Kind::Anything, effect::of)
        })
    }

    /// The state after an event.
    fn event(&mut self, i: usize, event: &Event) {
        if matches!(event.kind, EventKind::Broken { .. }) {
            // It says something of what happens and is nothing that does.
            return;
        }
        let core = usize::from(event.core);
        let was_ended = self.cores[core].ended.take();
        if !matches!(
            event.kind,
            EventKind::Signal { .. } | EventKind::Wait { .. } | EventKind::Dpc { .. }
        ) {
            self.cores[core].clock = None;
        } else {
            self.cores[core].ended = was_ended;
        }
        self.cores[core].irql = event.irql;
        if matches!(event.kind, EventKind::Call { .. }) {
            self.calls.insert(self.actor(event.core), i);
        }
        if let Some(change) = self.lock_change(i) {
            self.change_lock(i, event, change);
        }
        match &event.kind {
            EventKind::Irql { from, to } => self.irql_changed(core, *from, *to),
            EventKind::Call { name, args } => {
                if *name == "KeInitializeMutex"
                    && let Some(&mutex) = args.first()
                {
                    self.mutexes.insert(mutex, None);
                }
            }
            EventKind::Enter { what, routine } => {
                let c = &mut self.cores[core];
                if IN_DPC.contains(what) && c.interrupts.is_empty() {
                    c.dpc = true;
                }
                let activation = Activation {
                    what,
                    routine: *routine,
                    event: i,
                };
                let actor = self.actor(event.core);
                self.activations.entry(actor).or_default().push(activation);
            }
            EventKind::Leave { .. } => {
                let actor = self.actor(event.core);
                if let Some(all) = self.activations.get_mut(&actor) {
                    all.pop();
                }
            }
            EventKind::Interrupt {
                delivered: true,
                level,
                ..
            } => self.cores[core].interrupts.push(*level),
            EventKind::Timer {
                op: TimerOp::Expired,
                timer,
            } => self.cores[core].clock = Some(*timer),
            EventKind::Wait {
                op: WaitOp::TimedOut,
                ..
            } => self.cores[core].clock = Some(0),
            EventKind::Thread { op, thread } => match op {
                ThreadOp::Running => self.cores[core].thread = Some(*thread),
                ThreadOp::Parked => self.cores[core].thread = None,
                ThreadOp::Ended => {
                    self.cores[core].ended = Some(*thread);
                    self.activations.remove(&Actor::Thread(*thread));
                }
                ThreadOp::Created => {}
            },
            _ => {}
        }
    }

    fn irql_changed(&mut self, core: usize, from: u8, to: u8) {
        let dispatch = self.machine.irqls().dispatch;
        let number = core as u8;
        let idle_dpc = self.activations(Actor::Dpc(number)).is_empty();
        let c = &mut self.cores[core];
        if c.interrupts.last() == Some(&from) && to < from {
            c.interrupts.pop();
        } else if c.dpc && to < dispatch && c.interrupts.is_empty() && idle_dpc {
            c.dpc = false;
        }
    }

    fn change_lock(&mut self, i: usize, event: &Event, change: LockChange) {
        let LockChange {
            change,
            lock,
            mutex,
            actor,
        } = change;
        if mutex {
            let Actor::Thread(thread) = actor else { return };
            self.change_mutex(i, change, lock, thread);
            return;
        }
        let c = &mut self.cores[usize::from(event.core)];
        match change {
            Change::Wanted => c.wanted = Some((i, lock)),
            Change::Taken => {
                // Who spun for it is named by the event that began it.
                let wanted = c.wanted.take().filter(|(_, l)| *l == lock);
                let event = wanted.map_or(i, |(w, _)| w);
                c.held.push(Hold {
                    lock,
                    event,
                    taken: i,
                    mutex: false,
                });
            }
            Change::Released => {
                let mut cores = self.cores.iter_mut();
                let owner = cores.find(|c| c.held.iter().any(|h| h.lock == lock));
                if let Some(c) = owner {
                    c.held.retain(|h| h.lock != lock);
                }
            }
        }
    }

    fn change_mutex(&mut self, i: usize, change: Change, lock: u64, thread: u32) {
        let owner = self.mutexes.entry(lock).or_default();
        let held = self.mutexes_held.entry(thread).or_default();
        match (change, owner.as_mut()) {
            (Change::Taken, Some((t, times))) if *t == thread => *times += 1,
            (Change::Taken, _) => {
                *owner = Some((thread, 1));
                let event = self.calls.get(&Actor::Thread(thread)).copied();
                let event = event.unwrap_or(i);
                held.push(Hold {
                    lock,
                    event,
                    taken: i,
                    mutex: true,
                });
            }
            (Change::Released, Some((_, times))) if *times > 1 => *times -= 1,
            (Change::Released, _) => {
                *owner = None;
                held.retain(|h| h.lock != lock);
            }
            (Change::Wanted, _) => {}
        }
    }
}
