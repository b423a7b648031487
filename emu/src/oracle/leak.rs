//! Pool that a driver allocated and did not free before its unload routine returned.
//!
//! A run that does not unload a driver tells nothing about its leaks: what is allocated then may be
//! in use.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::pool::{Block, Blocks};
use super::walk::{Observer, Walk, walk};
use super::{Oracle, spot};
use crate::machine::{Ended, Machine};
use crate::report::tag;
use crate::stop::Stop;
use crate::trace::EventKind;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "leak",
    help: "pool that a driver has not freed when its unload routine has returned",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: Writing an Unload Routine; \
                    Bug Check 0xC4 DRIVER_VERIFIER_DETECTED_VIOLATION, 0x62";
const HELP: &str = "free it in the unload routine, or when what it was for ends";

/// Functions by which drivers allocate for themselves.
const ALLOCATE: [&str; 4] = [
    "ExAllocatePool",
    "ExAllocatePoolWithTag",
    "NdisAllocateMemory",
    "NdisAllocateMemoryWithTag",
];

#[derive(Default)]
struct Unloads {
    blocks: Blocks,
    /// The module that allocated each block, by the event.
    owners: BTreeMap<usize, usize>,
    /// Modules whose unload routine has returned.
    unloaded: Vec<usize>,
    leaks: Vec<(usize, Block)>,
}

fn check(machine: &Machine, ended: &Ended) -> Vec<Finding> {
    if ended.stop != Stop::Completed {
        return Vec::new();
    }
    let mut unloads = Unloads::default();
    walk(machine, &mut unloads);
    for block in unloads.blocks.allocated() {
        if let Some(owner) = unloads.owners.get(&block.allocated.0)
            && unloads.unloaded.contains(owner)
        {
            unloads.leaks.push((*owner, *block));
        }
    }
    let all = unloads.leaks.iter().map(|(module, block)| {
        let (event, actor) = block.allocated;
        let role = format!("allocates the block of {:#x} bytes", block.size);
        let name = &machine.setup.modules[*module].name;
        Finding {
            places: vec![spot(machine, event, actor, role)],
            object: Some(block.object()),
            help: HELP,
            rule: RULE,
            ..Finding::new(
                ORACLE.name,
                format!(
                    "{name} is unloaded and leaves pool block {}",
                    tag(block.tag)
                ),
            )
        }
    });
    super::finding::grouped(all.collect())
}

impl Observer for Unloads {
    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        match &e.kind {
            EventKind::Pool { .. } => {
                let call = walk.call(event).map(|c| &walk.event_at(c).kind);
                let own =
                    matches!(call, Some(EventKind::Call { name, .. }) if ALLOCATE.contains(name));
                if let (true, Some(module)) = (own, walk.machine.in_driver(e.pc)) {
                    self.owners.insert(event, module);
                }
            }
            EventKind::Leave { what, .. } if *what == "DriverUnload" => {
                let all = walk.activations(walk.actor(e.core));
                let routine = all.last().map_or(0, |a| a.routine);
                self.unloaded.extend(walk.machine.in_driver(routine));
            }
            _ => {}
        }
        self.blocks.before(walk, event);
    }
}
