//! The history of pool blocks, for oracles that look at accesses to them.

use std::collections::BTreeMap;

use super::finding::Object;
use super::walk::Walk;
use crate::choice::{Actor, Effect};
use crate::machine::Machine;
use crate::machine::memory::RegionKind;
use crate::nt::effect;
use crate::report::tag;
use crate::trace::EventKind;
use crate::trace::event::PoolOp;

/// A pool block that is or was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its address.
    pub start: u64,
    /// Size asked for, in bytes.
    pub size: u64,
    /// Its tag, in memory order.
    pub tag: [u8; 4],
    /// The event by which it was allocated, and who did it.
    pub allocated: (usize, Actor),
    /// The event by which it was freed, and who did it.
    pub freed: Option<(usize, Actor)>,
}

impl Block {
    /// The first address behind it.
    pub fn end(&self) -> u64 {
        self.start + self.size
    }

    /// It as what a finding is about.
    pub fn object(&self) -> Object {
        Object {
            address: self.start,
            length: self.size,
            what: format!("pool block {}", tag(self.tag)),
        }
    }
}

/// All blocks: those that are allocated, and those whose bytes have not been allocated again.
#[derive(Default)]
pub struct Blocks(BTreeMap<u64, Block>);

impl Blocks {
    /// An event comes.
    pub fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        let EventKind::Pool {
            op,
            block,
            size,
            tag,
            ..
        } = e.kind
        else {
            return;
        };
        let who = (event, walk.actor(e.core));
        match op {
            PoolOp::Allocated => {
                let end = block + size.max(1);
                let overlapped: Vec<u64> = self
                    .0
                    .range(..end)
                    .rev()
                    .take_while(|(_, b)| b.end() > block || b.start >= block)
                    .map(|(&at, _)| at)
                    .collect();
                for at in overlapped {
                    self.0.remove(&at);
                }
                let new = Block {
                    start: block,
                    size,
                    tag,
                    allocated: who,
                    freed: None,
                };
                self.0.insert(block, new);
            }
            PoolOp::Freed => {
                if let Some(b) = self.0.get_mut(&block) {
                    b.freed = Some(who);
                }
            }
            PoolOp::Failed => {}
        }
    }

    /// The block that an address lies in or, if it lies in none, the one before it.
    pub fn at_or_before(&self, va: u64) -> Option<&Block> {
        self.0.range(..=va).next_back().map(|(_, b)| b)
    }
}

/// Whether an address is in one of the pools.
pub fn is_pool(machine: &Machine, va: u64) -> bool {
    let region = machine.memory.region(va).map(|r| r.kind);
    matches!(
        region,
        Some(RegionKind::NonPagedPool | RegionKind::PagedPool)
    )
}

/// The ranges that a kernel call copies, fills or compares for its caller: address, bytes, whether
/// it stores.
pub fn ranges(walk: &Walk<'_>, event: usize) -> Vec<(u64, u64, bool)> {
    let EventKind::Call { name, args } = &walk.event_at(event).kind else {
        return Vec::new();
    };
    let effect::Kind::Plain(ranges) = walk.effect(name) else {
        return Vec::new();
    };
    let range = |&(at, n, how): &(usize, usize, Effect)| (args[at], args[n], how == Effect::Write);
    let all = ranges.iter().map(range);
    all.filter(|(_, length, _)| *length > 0).collect()
}
