//! Rules about timers, DPCs and work items whose memory goes away.

use std::ops::Range;

use isa::Mem;

use super::{Breach, Rule, broken, by_call, kind, pool};
use crate::machine::Machine;
use crate::nt::dpc::Item;
use crate::nt::layout;
use crate::nt::timer::Due;
use crate::stop::Stop;

/// Timers.
pub static TIMER_FREED: Rule = Rule {
    name: "object-timer-freed",
    help: "a block that is freed holds no timer that is set",
    mend: "cancel the timer, and wait for its DPC, before its memory is freed",
    code: 0xC7,
    params: kind(0x0, ["timer", "start of the block", "end of the block"]),
    source: "Bug Check 0xC7, 0x0; Bug Check 0xC4, 0x15; KeCancelTimer",
};

/// DPCs.
pub static DPC_FREED: Rule = Rule {
    name: "object-dpc-freed",
    help: "a block that is freed holds no DPC that is queued",
    mend: "remove the DPC from its queue, or wait for it, before its memory is freed",
    code: 0xC7,
    params: kind(0x1, ["DPC", "start of the block", "end of the block"]),
    source: "Bug Check 0xC7, 0x1; KeRemoveQueueDpc, KeFlushQueuedDpcs",
};

/// Work items.
pub static WORK_FREED: Rule = Rule {
    name: "object-work-freed",
    help: "a block that is freed holds no work item that waits for its thread",
    mend: "free the item in its own routine, or wait for that",
    code: 0xE4,
    params: kind(0x0, ["work item", "start of the block", "end of the block"]),
    source: "Bug Check 0xE4, 0x0; ExQueueWorkItem",
};

/// Work items that are queued again.
pub static WORK_QUEUED: Rule = Rule {
    name: "object-work-queued",
    help: "a work item that waits for its thread is not queued again",
    mend: "note under a lock that the item is queued, until its routine begins",
    code: 0xE4,
    params: kind(0x1, ["work item", "queue", ""]),
    source: "Bug Check 0xE4, 0x1; ExQueueWorkItem",
};

/// What a driver leaves behind.
pub static UNLOAD: Rule = Rule {
    name: "object-unload",
    help: "no timer, DPC or work item leads into a driver whose unload routine returns",
    mend: "cancel timers and wait for DPCs and work items in the unload routine",
    code: 0xC7,
    params: kind(0x2, ["routine", "start of the driver", "end of the driver"]),
    source: "Bug Check 0xC7, 0x2; Writing an Unload Routine",
};

/// The timers that are set.
fn timers(m: &Machine) -> impl Iterator<Item = u64> {
    m.state.nt.timers.iter().filter_map(|(_, due)| match due {
        Due::Timer(timer, _) => Some(timer),
        Due::Wait(..) | Due::Frame(_) => None,
    })
}

/// The DPCs of drivers that are queued.
fn dpcs(m: &Machine) -> impl Iterator<Item = u64> {
    let cores = 0..m.cpus();
    let items = cores.flat_map(|core| m.state.nt.dpcs.queue(core));
    let guest = |item| match item {
        Item::Guest(dpc) => Some(dpc),
        Item::Adapter(_) | Item::Completion(_) => None,
    };
    items.filter_map(guest)
}

/// A block is about to be freed.
pub(crate) fn freed(m: &mut Machine, core: usize, at: u64, size: u64) -> Result<(), Box<Stop>> {
    let block = pool::range(at, size);
    m.state.checks.forget_locks(&block);
    let inside = |object: &u64| block.contains(object);
    let timers: Vec<u64> = timers(m).filter(inside).collect();
    let dpcs: Vec<u64> = dpcs(m).filter(inside).collect();
    let work: Vec<u64> = m.state.checks.queued_work().filter(inside).collect();
    let found = [
        (&TIMER_FREED, timers, "a timer in it that is set"),
        (&DPC_FREED, dpcs, "a DPC in it that is queued"),
        (
            &WORK_FREED,
            work,
            "a work item in it that waits for its thread",
        ),
    ];
    for (rule, objects, what) in found {
        for object in objects {
            let values = [object, block.start, block.end];
            let what = format!("frees memory with {what}");
            by_call(m, core, rule, &values, object, what)?;
        }
    }
    Ok(())
}

/// A work item is queued.
pub(crate) fn queued(m: &mut Machine, core: usize, item: u64, queue: u64) -> Result<(), Box<Stop>> {
    if m.state.checks.queued_work().any(|waiting| waiting == item) {
        let what = "queues a work item that waits for its thread already";
        by_call(m, core, &WORK_QUEUED, &[item, queue], item, what)?;
    }
    Ok(())
}

/// The unload routine of a driver at these addresses returns.
pub(super) fn unloaded(
    m: &mut Machine,
    core: usize,
    driver: Range<u64>,
    unload: u64,
) -> Result<(), Box<Stop>> {
    let l = layout::of(m.arch()).kdpc;
    let routine = |m: &Machine, dpc: u64| {
        let at = m.memory.read_ptr(m.arch(), dpc + l.deferred_routine);
        at.filter(|_| dpc != 0).unwrap_or(0)
    };
    let mut left = Vec::new();
    let dpc_of = layout::of(m.arch()).ktimer.dpc;
    for timer in timers(m) {
        let dpc = m.memory.read_ptr(m.arch(), timer + dpc_of).unwrap_or(0);
        left.push(("a timer", timer, routine(m, dpc)));
    }
    for dpc in dpcs(m) {
        left.push(("a DPC", dpc, routine(m, dpc)));
    }
    let p = m.arch().pointer_size();
    for item in m.state.checks.queued_work() {
        let at = m.memory.read_ptr(m.arch(), item + 2 * p).unwrap_or(0);
        left.push(("a work item", item, at));
    }
    for (kind, object, routine) in left {
        if !driver.contains(&object) && !driver.contains(&routine) {
            continue;
        }
        let breach = Breach {
            rule: &UNLOAD,
            values: &[routine, driver.start, driver.end],
            object,
            pc: Some(unload),
            what: format!("{kind} is left when the driver is unloaded"),
        };
        broken(m, core, breach)?;
    }
    Ok(())
}
