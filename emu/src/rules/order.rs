//! The order in which locks are taken, for the rule, which sees it while the machine runs, and for
//! the oracle, which sees it in a record.
//!
//! The locks of a run form a graph: an edge from each lock that is held to each that is taken or
//! wanted meanwhile. A cycle is an order that is not the same everywhere, on any schedule, unless
//! all its edges were made under one more lock, which lets only one of them happen at a time
//! (Havelund, "Using Runtime Analysis to Guide Model Checking of Java Programs", 2000).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A lock was taken while another one was held; `T` is what is known of that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Edge<T> {
    /// All locks that were held.
    pub under: Vec<u64>,
    /// What is known of it.
    pub known: T,
}

/// Edges that lead back to where they began, each with the lock that was taken.
pub(crate) type Cycle<T> = Vec<(u64, Edge<T>)>;

/// See the module. A plain value.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Order<T> {
    /// By the lock held, then by the lock taken; of edges under the same locks the first.
    edges: BTreeMap<u64, BTreeMap<u64, Vec<Edge<T>>>>,
    /// The locks of the cycles that have been found.
    found: BTreeSet<Vec<u64>>,
}

impl<T> Default for Order<T> {
    fn default() -> Order<T> {
        Order {
            edges: BTreeMap::new(),
            found: BTreeSet::new(),
        }
    }
}

impl<T: Clone> Order<T> {
    /// A lock is taken or wanted while others are held. Gives the cycles that this closes, of
    /// which each is given once.
    pub fn taken(&mut self, lock: u64, held: &[(u64, T)]) -> Vec<Cycle<T>> {
        let mut cycles = Vec::new();
        for (holding, known) in held.iter().filter(|(h, _)| *h != lock) {
            let edges = self.edges.entry(*holding).or_default();
            let edges = edges.entry(lock).or_default();
            let same = |e: &Edge<T>| e.under.iter().eq(held.iter().map(|(h, _)| h));
            if edges.iter().any(same) {
                continue;
            }
            let edge = Edge {
                under: held.iter().map(|(h, _)| *h).collect(),
                known: known.clone(),
            };
            edges.push(edge.clone());
            self.close(*holding, &mut vec![(lock, edge)], &mut cycles);
        }
        cycles
    }

    /// The locks at these addresses are no more: what comes there next is another lock.
    pub fn forget(&mut self, gone: &Range<u64>) {
        self.edges.retain(|lock, _| !gone.contains(lock));
        for to in self.edges.values_mut() {
            to.retain(|lock, _| !gone.contains(lock));
        }
        let kept = |locks: &Vec<u64>| !locks.iter().any(|lock| gone.contains(lock));
        self.found.retain(kept);
    }

    /// Follows edges from the end of `way` back to `start`.
    fn close(&mut self, start: u64, way: &mut Cycle<T>, cycles: &mut Vec<Cycle<T>>) {
        let at = way.last().map_or(start, |(lock, _)| *lock);
        if at == start {
            if self.is_new(way) {
                cycles.push(way.clone());
            }
            return;
        }
        let next = self.edges.get(&at).into_iter().flatten();
        let next = next.flat_map(|(&to, edges)| edges.iter().map(move |e| (to, e.clone())));
        let next: Cycle<T> = next.collect();
        for (to, edge) in next {
            if to != start && way.iter().any(|(lock, _)| *lock == to) {
                continue;
            }
            way.push((to, edge));
            self.close(start, way, cycles);
            way.pop();
        }
    }

    /// Whether a cycle can come about, and is of locks of which none was found.
    fn is_new(&mut self, cycle: &[(u64, Edge<T>)]) -> bool {
        let locks: BTreeSet<u64> = cycle.iter().map(|(lock, _)| *lock).collect();
        // A gate: a lock of none of the edges, held at all of them.
        let gate =
            |lock: &u64| !locks.contains(lock) && cycle.iter().all(|(_, e)| e.under.contains(lock));
        let gated = cycle[0].1.under.iter().any(gate);
        !gated && self.found.insert(locks.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(order: &mut Order<()>, lock: u64, held: &[u64]) -> Vec<Vec<u64>> {
        let held: Vec<(u64, ())> = held.iter().map(|&h| (h, ())).collect();
        let cycles = order.taken(lock, &held).into_iter();
        let locks = |cycle: Cycle<()>| cycle.into_iter().map(|(lock, _)| lock).collect();
        cycles.map(locks).collect()
    }

    #[test]
    fn a_cycle_is_given_once_and_again_when_its_lock_is_another() {
        let mut order = Order::default();
        assert!(taken(&mut order, 2, &[1]).is_empty());
        assert!(taken(&mut order, 3, &[2]).is_empty());
        assert_eq!(taken(&mut order, 1, &[3]), [[1, 2, 3]]);
        assert!(taken(&mut order, 1, &[3]).is_empty());
        order.forget(&(3..4));
        assert!(taken(&mut order, 1, &[3]).is_empty());
        assert_eq!(taken(&mut order, 3, &[2]), [[3, 1, 2]]);
    }

    #[test]
    fn a_gate_keeps_the_orders_apart_and_a_lock_of_its_own_is_no_order() {
        let mut order = Order::default();
        assert!(taken(&mut order, 2, &[9, 1]).is_empty());
        assert!(taken(&mut order, 1, &[9, 2]).is_empty());
        assert!(taken(&mut order, 1, &[1]).is_empty());
        assert_eq!(taken(&mut order, 1, &[2]), [[1, 2]]);
    }
}
