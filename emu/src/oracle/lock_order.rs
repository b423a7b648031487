//! Locks that are taken in two orders: a deadlock that waits for its moment.
//!
//! The locks of a run form a graph: an edge from each lock that is held to each that is taken or
//! wanted meanwhile. A cycle is an order that is not the same everywhere, on any schedule, unless
//! all its edges were made under one more lock, which lets only one of them happen at a time
//! (Havelund, "Using Runtime Analysis to Guide Model Checking of Java Programs", 2000).

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Object, Spot};
use super::walk::{Change, Hold, Observer, Walk, walk};
use super::{Oracle, spot};
use crate::choice::Actor;
use crate::machine::{Ended, Machine};
use crate::trace::EventKind;
use crate::trace::event::PoolOp;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "lock-order",
    help: "locks that are taken in different orders, with or without a deadlock in this run",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: Preventing Errors and Deadlocks While Using Spin \
                    Locks; Driver Verifier, Deadlock Detection";
const HELP: &str = "take these locks in one order everywhere";

/// A lock was taken while another one was held.
#[derive(Clone)]
struct Edge {
    held: Hold,
    /// The event by which the other one was taken or wanted.
    event: usize,
    actor: Actor,
    /// All locks that were held.
    under: Vec<u64>,
}

#[derive(Default)]
struct Graph {
    /// By the lock held, then by the lock taken; of edges under different locks, each once.
    edges: BTreeMap<u64, BTreeMap<u64, Vec<Edge>>>,
    reported: BTreeSet<Vec<u64>>,
    found: Vec<Vec<(u64, Edge)>>,
}

fn check(machine: &Machine, _ended: &Ended) -> Vec<Finding> {
    let mut graph = Graph::default();
    walk(machine, &mut graph);
    let all = graph.found.iter().map(|cycle| finding(machine, cycle));
    super::finding::grouped(all.collect())
}

fn finding(machine: &Machine, cycle: &[(u64, Edge)]) -> Finding {
    let mut places: Vec<Spot> = Vec::new();
    for (lock, edge) in cycle {
        let first = format!("takes lock {:#x}", edge.held.lock);
        places.push(spot(machine, edge.held.event, edge.actor, first));
        let role = format!("takes lock {lock:#x} while it holds {:#x}", edge.held.lock);
        let mut second = spot(machine, edge.event, edge.actor, role);
        second.locks.clone_from(&edge.under);
        places.push(second);
    }
    Finding {
        places,
        object: cycle.first().map(|(lock, _)| Object {
            address: *lock,
            length: 0,
            what: "lock".into(),
        }),
        help: HELP,
        rule: RULE,
        ..Finding::new(
            ORACLE.name,
            format!("{} locks are taken in different orders", cycle.len()),
        )
    }
}

impl Graph {
    /// A lock is taken while others are held.
    fn add(&mut self, lock: u64, event: usize, actor: Actor, held: &[Hold]) {
        let under: Vec<u64> = held.iter().map(|h| h.lock).collect();
        for &hold in held.iter().filter(|h| h.lock != lock) {
            let known = self.edges.entry(hold.lock).or_default();
            let known = known.entry(lock).or_default();
            if known.iter().any(|e| e.under == under) {
                continue;
            }
            let edge = Edge {
                held: hold,
                event,
                actor,
                under: under.clone(),
            };
            known.push(edge.clone());
            let mut way = vec![(lock, edge)];
            self.close(hold.lock, &mut way);
        }
    }

    /// Follows edges from the end of `way` back to where it began.
    fn close(&mut self, start: u64, way: &mut Vec<(u64, Edge)>) {
        let at = way.last().map_or(start, |(lock, _)| *lock);
        if at == start {
            self.report(way);
            return;
        }
        let next: Vec<(u64, Edge)> = self
            .edges
            .get(&at)
            .into_iter()
            .flatten()
            .flat_map(|(&to, edges)| edges.iter().map(move |e| (to, e.clone())))
            .collect();
        for (to, edge) in next {
            if to != start && way.iter().any(|(lock, _)| *lock == to) {
                continue;
            }
            way.push((to, edge));
            self.close(start, way);
            way.pop();
        }
    }

    fn report(&mut self, cycle: &[(u64, Edge)]) {
        let locks: BTreeSet<u64> = cycle.iter().map(|(lock, _)| *lock).collect();
        // A gate: a lock of none of the edges, held at all of them.
        let gate =
            |lock: &u64| !locks.contains(lock) && cycle.iter().all(|(_, e)| e.under.contains(lock));
        let gated = cycle[0].1.under.iter().any(gate);
        let mut places: Vec<u64> = locks.into_iter().collect();
        places.sort_unstable();
        if !gated && self.reported.insert(places) {
            self.found.push(cycle.to_vec());
        }
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
            let gone = |lock: u64| block <= lock && lock < block + size;
            self.edges.retain(|&lock, _| !gone(lock));
            for to in self.edges.values_mut() {
                to.retain(|&lock, _| !gone(lock));
            }
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
        self.add(change.lock, event, change.actor, &held);
    }
}
