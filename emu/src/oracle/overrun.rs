//! Accesses past the ends of pool blocks: into the header of the next one, into the padding, or from
//! inside a block over its end. An access that lies wholly in another block cannot be told from one
//! that was meant for it.

use super::finding::{Access, Finding, Spot};
use super::pool::{Block, Blocks, is_pool, ranges};
use super::walk::{Observer, Walk, walk};
use super::{Oracle, spot};
use crate::machine::{Ended, Machine};
use crate::report::tag;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "overrun",
    help: "accesses past the ends of pool blocks",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: Special Pool; \
                    Bug Check 0x19 BAD_POOL_HEADER";
const HELP: &str = "check the length against the size that was allocated";

#[derive(Default)]
struct Overruns {
    blocks: Blocks,
    found: Vec<(Block, Spot)>,
}

fn check(machine: &Machine, _ended: &Ended) -> Vec<Finding> {
    let mut overruns = Overruns::default();
    walk(machine, &mut overruns);
    let all = overruns.found.into_iter().map(|(block, used)| {
        let (event, actor) = block.allocated;
        let role = format!("allocates the block of {:#x} bytes", block.size);
        Finding {
            places: vec![spot(machine, event, actor, role), used],
            object: Some(block.object()),
            help: HELP,
            rule: RULE,
            ..Finding::new(
                ORACLE.name,
                format!("access past the end of pool block {}", tag(block.tag)),
            )
        }
    });
    let mut findings = super::finding::grouped(all.collect());
    super::add_stacks(machine, &mut findings);
    findings
}

impl Overruns {
    /// The allocated block that a range runs out of, or lies behind.
    fn overrun(&self, machine: &Machine, va: u64, length: u64) -> Option<Block> {
        if !is_pool(machine, va) {
            return None;
        }
        let block = self.blocks.at_or_before(va)?;
        let outside = va + length > block.end();
        // What begins in the hole that freed blocks leave is another oracle's.
        (outside && block.freed.is_none()).then_some(*block)
    }
}

fn role(block: &Block, va: u64, length: u64, write: bool) -> String {
    let verb = if write { "writes" } else { "reads" };
    let offset = va - block.start;
    format!("{verb} {length} bytes at +{offset:#x}")
}

impl Observer for Overruns {
    const ACCESSES: bool = true;

    fn access(&mut self, walk: &Walk<'_>, access: usize) {
        let a = walk.machine.accesses()[access];
        let length = u64::from(a.width);
        if let Some(block) = self.overrun(walk.machine, a.address, length) {
            let mut used = super::accessed(walk, access);
            used.role = role(&block, a.address, length, a.write);
            self.found.push((block, used));
        }
    }

    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        for (va, length, write) in ranges(walk, event) {
            if let Some(block) = self.overrun(walk.machine, va, length) {
                let role = role(&block, va, length, write);
                let mut used = spot(walk.machine, event, walk.actor(e.core), role);
                used.access = Some(Access {
                    address: va,
                    length,
                    write,
                    atomic: false,
                });
                self.found.push((block, used));
            }
        }
        self.blocks.before(walk, event);
    }
}
