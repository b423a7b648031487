//! Accesses to shared memory that no common lock guards: where a schedule can make a difference.
//!
//! The hybrid of lock sets and happens-before (O'Callahan and Choi, "Hybrid Dynamic Data Race
//! Detection", PPoPP 2003): two accesses by different actors, at least one a store, under no lock
//! that both hold, and not ordered by anything that hands over control (threads that are created or
//! end, signals and waits, DPCs, requests). Locks and atomic variables order nothing here: which of
//! two comes first is what the schedule decides. So these are more than the data races, and they
//! depend less on the run that was watched.

use std::collections::{BTreeMap, BTreeSet};

use super::order::Order;
use super::walk::{Observer, Walk, walk};
use crate::choice::Actor;
use crate::machine::Machine;
use crate::machine::memory::RegionKind;

/// Bytes that are told apart.
const WORD: u64 = 4;

/// The last access of a kind to a word.
struct Mark {
    actor: usize,
    epoch: u32,
    write: bool,
    pc: u64,
    locks: Vec<u64>,
}

/// Instead of an instruction: memory is freed by a call, which is a scheduling point anyway.
const FREE: u64 = 0;

struct Detector<'a> {
    machine: &'a Machine,
    order: Order,
    words: BTreeMap<u64, Vec<Mark>>,
    found: BTreeSet<u64>,
}

/// The addresses of the instructions that make such accesses in a recorded run.
pub fn unprotected_pcs(machine: &Machine) -> BTreeSet<u64> {
    let mut detector = Detector {
        machine,
        order: Order::of_hand_overs(),
        words: BTreeMap::new(),
        found: BTreeSet::new(),
    };
    walk(machine, &mut detector);
    detector.found.remove(&FREE);
    detector.found
}

impl Detector<'_> {
    /// Whether others may access what is at an address. What is on a stack is its thread's own, or
    /// was given away by who waits for it.
    fn is_shared(&self, address: u64) -> bool {
        let region = self.machine.memory.region(address);
        region.is_some_and(|r| {
            matches!(
                r.kind,
                RegionKind::Image(_) | RegionKind::NonPagedPool | RegionKind::PagedPool
            )
        })
    }

    fn touch(&mut self, actor: Actor, word: u64, write: bool, pc: u64, locks: &[u64]) {
        let index = self.order.index(actor);
        let clock = self.order.clock(actor);
        let marks = self.words.entry(word).or_default();
        for m in marks.iter() {
            let apart = m.actor != index && m.epoch > clock.get(m.actor);
            let guarded = m.locks.iter().any(|lock| locks.contains(lock));
            if apart && (m.write || write) && !guarded {
                self.found.extend([m.pc, pc]);
            }
        }
        let epoch = clock.get(index);
        let known = marks
            .iter_mut()
            .find(|m| (m.actor, m.pc, m.write) == (index, pc, write) && m.locks == locks);
        // If an earlier one is not ordered before something, neither is the last.
        match known {
            Some(mark) => mark.epoch = epoch,
            None => marks.push(Mark {
                actor: index,
                epoch,
                write,
                pc,
                locks: locks.to_vec(),
            }),
        }
    }
}

impl Observer for Detector<'_> {
    const ACCESSES: bool = true;

    fn access(&mut self, walk: &Walk<'_>, access: usize) {
        let a = self.machine.accesses()[access];
        if !self.is_shared(a.address) {
            return;
        }
        let actor = walk.actor(a.core);
        let locks: Vec<u64> = walk.held(a.core).iter().map(|h| h.lock).collect();
        let end = a.address + u64::from(a.width.max(1));
        for word in a.address / WORD..end.div_ceil(WORD) {
            self.touch(actor, word, a.write, a.pc, &locks);
        }
    }

    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        use crate::trace::EventKind;
        use crate::trace::event::PoolOp;
        if let EventKind::Pool {
            op, block, size, ..
        } = walk.event_at(event).kind
        {
            let range = block / WORD..(block + size).div_ceil(WORD);
            let old: Vec<u64> = self.words.range(range).map(|(w, _)| *w).collect();
            match op {
                PoolOp::Allocated => old.iter().for_each(|w| {
                    self.words.remove(w);
                }),
                // What has been used might as well have been used afterwards.
                PoolOp::Freed => {
                    let core = walk.event_at(event).core;
                    let actor = walk.actor(core);
                    let locks: Vec<u64> = walk.held(core).iter().map(|h| h.lock).collect();
                    for word in old {
                        self.touch(actor, word, true, FREE, &locks);
                    }
                }
                PoolOp::Failed => {}
            }
        }
        self.order.before(walk, event);
    }

    fn after(&mut self, walk: &Walk<'_>, event: usize) {
        self.order.after(walk, event);
    }
}
