//! A run that ended because nothing could go on: who waits for what, and who has it.

use std::collections::BTreeMap;

use super::finding::{Finding, Object, Spot};
use super::walk::{Change, Hold, Observer, Walk, walk};
use super::{Oracle, spot};
use crate::choice::Actor;
use crate::machine::{Ended, Machine};
use crate::stop::{Awaited, Holder, Stop, Wait, Waiter};
use crate::trace::EventKind;
use crate::trace::event::WaitOp;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "deadlock",
    help: "the chain of who waits for whom when nothing can go on",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: Preventing Errors and Deadlocks While Using Spin \
                    Locks";
const HELP: &str =
    "take locks in one order everywhere, and signal what others wait for on every path";

/// Where each wait of a run began, and what is held at its end.
#[derive(Default)]
struct Waits {
    /// By core and lock: the last event by which a core began to spin.
    spins: BTreeMap<(u8, u64), usize>,
    /// By thread: the last event by which it began to wait.
    blocks: BTreeMap<u32, usize>,
    /// Who holds what, by lock.
    held: BTreeMap<u64, (Hold, Actor)>,
}

impl Observer for Waits {
    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        if let EventKind::Wait {
            op: WaitOp::Blocked,
            thread,
            ..
        } = e.kind
        {
            let call = walk.call(event).unwrap_or(event);
            self.blocks.insert(thread, call);
        }
        match walk.lock_change(event) {
            Some(c) if c.change == Change::Wanted => {
                self.spins.insert((e.core, c.lock), event);
            }
            Some(c) if c.change == Change::Released => drop(self.held.remove(&c.lock)),
            _ => {}
        }
    }

    fn after(&mut self, walk: &Walk<'_>, event: usize) {
        let core = walk.event_at(event).core;
        let actor = walk.actor(core);
        for hold in walk.held(core) {
            self.held.entry(hold.lock).or_insert((hold, actor));
        }
    }
}

fn check(machine: &Machine, ended: &Ended) -> Vec<Finding> {
    let Stop::Deadlock { waits } = &ended.stop else {
        return Vec::new();
    };
    let mut seen = Waits::default();
    walk(machine, &mut seen);
    let chain = chain(waits);
    let circular = chain
        .last()
        .is_some_and(|&last| is_held_by(&waits[last], &waits[chain[0]]));
    let mut places: Vec<Spot> = Vec::new();
    for &i in &chain {
        let wait = &waits[i];
        if let Some((hold, actor)) = address(wait).and_then(|at| seen.held.get(&at)) {
            let role = format!("takes {}", named(wait));
            places.push(spot(machine, hold.event, *actor, role));
        }
        places.extend(waiting(machine, &seen, wait));
    }
    let what = match (circular, chain.len()) {
        (true, 1) => "a core waits for itself".to_owned(),
        (true, n) => format!("{n} wait for each other in a circle"),
        (false, 0) => "work is left and nothing can go on".to_owned(),
        (false, 1) => "a wait that nothing ends".to_owned(),
        (false, n) => format!("{n} waits that nothing ends"),
    };
    let object = chain.first().and_then(|&i| {
        Some(Object {
            address: address(&waits[i])?,
            length: 0,
            what: waits[i].awaited.kind().to_owned(),
        })
    });
    vec![Finding {
        places,
        object,
        help: HELP,
        rule: RULE,
        ..Finding::new(ORACLE.name, what)
    }]
}

/// The guest object that a wait is for, if it is for one.
fn address(wait: &Wait) -> Option<u64> {
    match wait.awaited {
        Awaited::SpinLock(at) | Awaited::Object(_, at) => Some(at),
        Awaited::Time | Awaited::Condition(_) | Awaited::Listener(_) => None,
    }
}

fn named(wait: &Wait) -> String {
    let kind = wait.awaited.kind();
    address(wait).map_or_else(|| kind.to_owned(), |at| format!("{kind} {at:#x}"))
}

/// Core and thread of who waits; a stream of packets has neither.
fn who(wait: &Wait) -> (Option<u8>, Option<u32>) {
    match wait.waiter {
        Waiter::Core { core, thread } => (Some(core), thread),
        Waiter::Thread { thread, .. } => (None, Some(thread)),
        Waiter::Stream { .. } => (None, None),
    }
}

/// Whether what `wait` is for is held by who waits in `other`.
fn is_held_by(wait: &Wait, other: &Wait) -> bool {
    let (core, thread) = who(other);
    match wait.holder {
        Some(Holder::Core(holder)) => core == Some(holder),
        Some(Holder::Thread(holder)) => thread == Some(holder),
        None => false,
    }
}

/// Where a wait began.
fn waiting(machine: &Machine, seen: &Waits, wait: &Wait) -> Option<Spot> {
    let role = format!("waits for {}", named(wait));
    let (event, actor) = match who(wait) {
        (Some(core), thread) => {
            let event = *seen.spins.get(&(core, address(wait)?))?;
            (event, thread.map_or(Actor::Dpc(core), Actor::Thread))
        }
        (None, Some(thread)) => (*seen.blocks.get(&thread)?, Actor::Thread(thread)),
        (None, None) => return None,
    };
    let mut place = spot(machine, event, actor, role);
    let mine = |(_, a): &&(Hold, Actor)| *a == actor;
    place.locks = seen
        .held
        .values()
        .filter(mine)
        .map(|(h, _)| h.lock)
        .collect();
    Some(place)
}

/// The waits in the order of the story: a circle of those that wait for each other if there is one,
/// and otherwise all of them.
fn chain(waits: &[Wait]) -> Vec<usize> {
    let next = |i: usize| waits.iter().position(|other| is_held_by(&waits[i], other));
    for start in 0..waits.len() {
        let mut way = vec![start];
        while let Some(to) = next(way[way.len() - 1]) {
            if to == start {
                return way;
            }
            if way.contains(&to) {
                break;
            }
            way.push(to);
        }
    }
    (0..waits.len()).collect()
}
