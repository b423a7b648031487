//! Locks that are taken in two orders, each with its places: a deadlock that waits for its moment.

use super::finding::{Finding, Object, Spot};
use super::walk::{Change, Hold, Observer, Walk, walk};
use super::{Oracle, spot};
use crate::choice::Actor;
use crate::machine::{Ended, Machine};
use crate::rules::lock;
use crate::rules::order::{Cycle, Edge, Order};
use crate::trace::EventKind;
use crate::trace::event::PoolOp;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "lock-order",
    help: "locks that are taken in different orders, with or without a deadlock in this run",
    default_on: true,
    check,
};

/// How a lock was taken while another one was held.
#[derive(Clone)]
struct Taken {
    held: Hold,
    /// The event by which the other one was taken or wanted.
    event: usize,
    actor: Actor,
}

#[derive(Default)]
struct Graph {
    order: Order<Taken>,
    found: Vec<Cycle<Taken>>,
}

fn check(machine: &Machine, _ended: &Ended) -> Vec<Finding> {
    let mut graph = Graph::default();
    walk(machine, &mut graph);
    let all = graph.found.iter().map(|cycle| finding(machine, cycle));
    super::finding::grouped(all.collect())
}

fn finding(machine: &Machine, cycle: &[(u64, Edge<Taken>)]) -> Finding {
    let mut places: Vec<Spot> = Vec::new();
    for (lock, Edge { under, known: edge }) in cycle {
        let first = format!("takes lock {:#x}", edge.held.lock);
        places.push(spot(machine, edge.held.event, edge.actor, first));
        let role = format!("takes lock {lock:#x} while it holds {:#x}", edge.held.lock);
        let mut second = spot(machine, edge.event, edge.actor, role);
        second.locks.clone_from(under);
        places.push(second);
    }
    Finding {
        places,
        object: cycle.first().map(|(lock, _)| Object {
            address: *lock,
            length: 0,
            what: "lock".into(),
        }),
        help: lock::ORDER.mend,
        rule: lock::ORDER.source,
        ..Finding::new(
            ORACLE.name,
            format!("{} locks are taken in different orders", cycle.len()),
        )
    }
}

impl Observer for Graph {
    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        if let EventKind::Pool {
            op: PoolOp::Freed,
            block,
            size,
            ..
        } = e.kind
        {
            // A lock in memory that is used anew is another lock.
            self.order.forget(&(block..block + size));
        }
        let Some(change) = walk.lock_change(event) else {
            return;
        };
        if change.change == Change::Released {
            return;
        }
        let held = match change.actor {
            // A wait that ends on another core: what the thread held all along.
            Actor::Thread(thread) if walk.actor(e.core) != change.actor => {
                walk.mutexes(thread).to_vec()
            }
            _ => walk.held(e.core),
        };
        let taken = |&held: &Hold| {
            let actor = change.actor;
            (held.lock, Taken { held, event, actor })
        };
        let held: Vec<(u64, Taken)> = held.iter().map(taken).collect();
        self.found.extend(self.order.taken(change.lock, &held));
    }
}
