//! Use of a pool block after it was freed. A small block stays readable and is soon somebody
//! else's, so that most such accesses do no visible harm in the run; the record shows them all. A
//! freed block whose pages have left the pool faults, and the fault is reported as well.

use super::finding::{Access, Finding, Spot};
use super::pool::{Block, Blocks, is_pool, ranges};
use super::walk::{Observer, Walk, walk};
use super::{Oracle, spot};
use crate::machine::{Ended, Machine};
use crate::report::tag;
use crate::trace::EventKind;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "use-after-free",
    help: "accesses to pool blocks that have been freed",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: ExFreePoolWithTag; Special Pool";
const HELP: &str = "keep the block until its last user is done, or find it anew under the lock";

#[derive(Default)]
struct Uses {
    blocks: Blocks,
    found: Vec<(Block, Spot)>,
}

fn check(machine: &Machine, _ended: &Ended) -> Vec<Finding> {
    let mut uses = Uses::default();
    walk(machine, &mut uses);
    let mut findings: Vec<Finding> = Vec::new();
    for (block, spot) in uses.found {
        findings.push(finding(machine, &block, spot));
    }
    let mut findings = super::finding::grouped(findings);
    super::add_stacks(machine, &mut findings);
    findings
}

fn finding(machine: &Machine, block: &Block, used: Spot) -> Finding {
    let mut places = vec![spot(
        machine,
        block.allocated.0,
        block.allocated.1,
        format!("allocates the block of {:#x} bytes", block.size),
    )];
    if let Some((event, actor)) = block.freed {
        places.push(spot(machine, event, actor, "frees it"));
    }
    places.push(used);
    Finding {
        places,
        object: Some(block.object()),
        help: HELP,
        rule: RULE,
        ..Finding::new(
            ORACLE.name,
            format!("use of pool block {} after it was freed", tag(block.tag)),
        )
    }
}

impl Uses {
    /// The freed block that a range touches.
    fn freed(&self, machine: &Machine, va: u64, length: u64) -> Option<Block> {
        let block = self.blocks.at_or_before(va + length.max(1) - 1)?;
        let touched = block.freed.is_some() && va < block.end();
        (touched && is_pool(machine, va)).then_some(*block)
    }
}

impl Observer for Uses {
    const ACCESSES: bool = true;

    fn access(&mut self, walk: &Walk<'_>, access: usize) {
        let a = walk.machine.accesses()[access];
        let Some(block) = self.freed(walk.machine, a.address, u64::from(a.width)) else {
            return;
        };
        self.found.push((block, super::accessed(walk, access)));
    }

    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        let machine = walk.machine;
        let mut touched = ranges(walk, event);
        if let EventKind::Fault { address, access } = e.kind {
            touched.push((address, 1, access == crate::stop::Access::Write));
        }
        for (va, length, write) in touched {
            let Some(block) = self.freed(machine, va, length) else {
                continue;
            };
            let verb = if write { "writes" } else { "reads" };
            let mut used = spot(machine, event, walk.actor(e.core), format!("{verb} it"));
            if matches!(e.kind, EventKind::Fault { .. }) {
                // It is where the run has ended.
                let frames = machine.backtrace(usize::from(e.core));
                used.stack = frames.iter().skip(1).map(|f| f.pc).collect();
            }
            used.access = Some(Access {
                address: va,
                length,
                write,
                atomic: false,
            });
            used.locks = walk.held(e.core).iter().map(|h| h.lock).collect();
            self.found.push((block, used));
        }
        self.blocks.before(walk, event);
    }
}
