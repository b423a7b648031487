//! Deferred procedure calls: a queue per core, importance and target rules, retired below
//! DISPATCH_LEVEL.
//!
//! The rules are those of "Organization of DPC Queues" in the Windows driver documentation: a DPC
//! of high importance goes to the head, any other to the tail; a local one of medium or high
//! importance is requested at once, one for another core only if it is of high importance. What is
//! not requested waits until something else drains the queue, which is a choice.

use std::collections::VecDeque;

use super::api::{Contract, Module, Style, byte, long, ptr};
use super::{Api, Call, Done, Then, layout, ndis};
use crate::faults;
use crate::machine::Machine;
use crate::machine::context::Outcome;
use crate::trace::EventKind;

const WDK: &str = "Windows driver documentation: Organization of DPC Queues; wdm.h";
/// Added to the processor number in KDPC.Number by KeSetTargetProcessorDpc: MAXIMUM_PROCESSORS.
const TARGETED: u8 = 32;
const LOW: u8 = 0;
const HIGH: u8 = 2;
const DPC_OBJECT: u8 = 0x13;

/// The cores' queues.
#[derive(Clone, Default, Hash)]
pub struct Dpcs {
    queues: Vec<Queue>,
}

#[derive(Clone, Default, Hash)]
struct Queue {
    items: VecDeque<Item>,
    requested: bool,
    /// Until when, in 100 ns since power-on, the core does not hear of it.
    late_until: u64,
}

/// An entry of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// A driver's KDPC, by address.
    Guest(u64),
    /// The modelled miniport of an adapter.
    Adapter(u32),
    /// An IRP that a driver of another core completes, by address.
    Completion(u64),
}

impl Dpcs {
    /// Empty queues for `cores` cores.
    pub fn new(cores: u8) -> Dpcs {
        Dpcs {
            queues: vec![Queue::default(); usize::from(cores)],
        }
    }

    /// Asks the core to drain its queue as soon as its IRQL allows.
    pub fn request(&mut self, core: u8) {
        self.queues[usize::from(core)].requested = true;
    }

    /// Whether the core has been asked to drain its queue.
    pub fn requested(&self, core: u8) -> bool {
        let q = &self.queues[usize::from(core)];
        q.requested && !q.items.is_empty()
    }

    /// Whether entries wait that nobody has asked the core to drain.
    pub fn waiting(&self, core: u8) -> bool {
        let q = &self.queues[usize::from(core)];
        !q.requested && !q.items.is_empty()
    }

    /// Whether the core can hear of its queue at this time, in 100 ns since power-on.
    pub fn hears(&self, core: u8, now: u64) -> bool {
        self.late_until(core) <= now
    }

    /// Until when, in 100 ns since power-on, the core does not hear of its queue; 0: it does.
    pub fn late_until(&self, core: u8) -> u64 {
        self.queues[usize::from(core)].late_until
    }

    /// The entries of a core's queue, first to be retired first.
    pub fn queue(&self, core: u8) -> impl Iterator<Item = Item> {
        self.queues[usize::from(core)].items.iter().copied()
    }
}

/// DPC functions.
pub const API: &[Api] = &[
    Api {
        name: "KeInitializeDpc",
        module: Module::Ntoskrnl,
        style: Style::Std,
        args: &[ptr("Dpc"), ptr("DeferredRoutine"), ptr("DeferredContext")],
        irql: Contract::Any,
        source: WDK,
        handler: initialize,
    },
    Api {
        name: "KeInsertQueueDpc",
        module: Module::Ntoskrnl,
        style: Style::Std,
        args: &[ptr("Dpc"), ptr("SystemArgument1"), ptr("SystemArgument2")],
        irql: Contract::Any,
        source: WDK,
        handler: insert,
    },
    Api {
        name: "KeRemoveQueueDpc",
        module: Module::Ntoskrnl,
        style: Style::Std,
        args: &[ptr("Dpc")],
        irql: Contract::Any,
        source: WDK,
        handler: remove,
    },
    Api {
        name: "KeSetImportanceDpc",
        module: Module::Ntoskrnl,
        style: Style::Std,
        args: &[ptr("Dpc"), long("Importance")],
        irql: Contract::Any,
        source: WDK,
        handler: set_importance,
    },
    Api {
        name: "KeSetTargetProcessorDpc",
        module: Module::Ntoskrnl,
        style: Style::Std,
        args: &[ptr("Dpc"), byte("Number")],
        irql: Contract::Any,
        source: WDK,
        handler: set_target,
    },
];

fn initialize(call: &mut Call<'_>) -> Done {
    let [dpc, routine, context, ..] = call.args;
    let at = layout::of(call.arch()).kdpc;
    call.write_bytes(dpc, &vec![0; at.size as usize])?;
    call.set_u8(dpc, DPC_OBJECT)?;
    call.set_u8(dpc + at.importance, 1)?;
    call.set_ptr(dpc + at.deferred_routine, routine)?;
    call.set_ptr(dpc + at.deferred_context, context)?;
    Ok(Outcome::Return(0))
}

fn insert(call: &mut Call<'_>) -> Done {
    let [dpc, one, two, ..] = call.args;
    let at = layout::of(call.arch()).kdpc;
    if call.ptr(dpc + at.dpc_data)? != 0 {
        return Ok(Outcome::Return(0));
    }
    call.set_ptr(dpc + at.system_argument1, one)?;
    call.set_ptr(dpc + at.system_argument2, two)?;
    let importance = call.u8(dpc + at.importance)?;
    let number = call.u8(dpc + at.number)?;
    let (m, core) = (&mut *call.m, call.core);
    queue_guest(m, core, dpc, importance, number);
    Ok(Outcome::Return(1))
}

/// Queues a driver's DPC that is not queued. Also used by timers, whose DPCs are of the importance
/// and target that the driver set.
pub(crate) fn queue_guest(m: &mut Machine, core: usize, dpc: u64, importance: u8, number: u8) {
    let target = match number.checked_sub(TARGETED) {
        Some(n) if usize::from(n) < m.state.cores.len() => Some(n),
        _ => None,
    };
    let remote = target.is_some_and(|n| usize::from(n) != core);
    let mut queued = faults::Queued {
        target: target.unwrap_or(core as u8),
        targeted: target.is_some(),
        asked: asks(importance, remote),
        late_until: 0,
        remote,
    };
    faults::dpc_queued(m, core, &mut queued);
    let (asked, late_until) = (queued.asked, queued.late_until);
    let target = usize::from(queued.target);
    // Any value but 0 says "queued"; the real one is the address of the core's queue.
    let queued = m.state.cores[target].pcr | 1;
    let at = layout::of(m.arch()).kdpc;
    let n = m.arch().pointer_size() as usize;
    m.memory
        .write(dpc + at.dpc_data, &queued.to_le_bytes()[..n]);
    push(m, target, Item::Guest(dpc), importance, asked);
    let queue = &mut m.state.nt.dpcs.queues[target];
    queue.late_until = queue.late_until.max(late_until);
    m.event(
        core,
        EventKind::Dpc {
            queued: true,
            dpc,
            target: target as u8,
        },
    );
}

/// Whether a core is asked to run a DPC that is queued to it.
fn asks(importance: u8, remote: bool) -> bool {
    match remote {
        true => importance == HIGH,
        false => importance != LOW,
    }
}

fn push(m: &mut Machine, target: usize, item: Item, importance: u8, asked: bool) {
    let queue = &mut m.state.nt.dpcs.queues[target];
    if importance == HIGH {
        queue.items.push_front(item);
    } else {
        queue.items.push_back(item);
    }
    queue.requested |= asked;
}

/// Queues the modelled miniport's DPC on the core that took its interrupt.
pub(crate) fn queue_adapter(m: &mut Machine, core: usize, adapter: u32) {
    if !m.state.nt.dpcs.queues[core]
        .items
        .contains(&Item::Adapter(adapter))
    {
        push(m, core, Item::Adapter(adapter), 1, true);
    }
}

/// Queues the completion of an IRP to another core.
pub(crate) fn queue_completion(m: &mut Machine, target: u8, irp: u64) {
    push(m, usize::from(target), Item::Completion(irp), 1, true);
}

fn remove(call: &mut Call<'_>) -> Done {
    let dpc = call.args[0];
    let at = layout::of(call.arch()).kdpc;
    for core in 0..call.m.state.cores.len() {
        let items = &mut call.m.state.nt.dpcs.queues[core].items;
        if let Some(i) = items.iter().position(|i| *i == Item::Guest(dpc)) {
            items.remove(i);
            call.set_ptr(dpc + at.dpc_data, 0)?;
            call.event(EventKind::Dpc {
                queued: false,
                dpc,
                target: core as u8,
            });
            return Ok(Outcome::Return(1));
        }
    }
    Ok(Outcome::Return(0))
}

fn set_importance(call: &mut Call<'_>) -> Done {
    let at = layout::of(call.arch()).kdpc;
    call.set_u8(call.args[0] + at.importance, call.args[1] as u8)?;
    Ok(Outcome::Return(0))
}

fn set_target(call: &mut Call<'_>) -> Done {
    let at = layout::of(call.arch()).kdpc;
    call.set_u8(call.args[0] + at.number, call.args[1] as u8 + TARGETED)?;
    Ok(Outcome::Return(0))
}

/// The next entry of the core's queue, or the end of the DPC context.
pub(crate) fn next(call: &mut Call<'_>) -> Done {
    let core = call.core;
    let dispatch = call.m.irqls().dispatch;
    call.m.set_irql(core, dispatch);
    let queue = &mut call.m.state.nt.dpcs.queues[core];
    let Some(item) = queue.items.pop_front() else {
        queue.requested = false;
        return Ok(Outcome::End);
    };
    match item {
        Item::Adapter(adapter) => ndis::deferred(call, adapter),
        Item::Completion(irp) => super::io::complete::begin(call, irp, Then::NextDpc),
        Item::Guest(dpc) => {
            let at = layout::of(call.arch()).kdpc;
            let routine = call.ptr(dpc + at.deferred_routine)?;
            let context = call.ptr(dpc + at.deferred_context)?;
            let one = call.ptr(dpc + at.system_argument1)?;
            let two = call.ptr(dpc + at.system_argument2)?;
            // Cleared before the routine runs: it can be queued again at once, elsewhere too.
            call.set_ptr(dpc + at.dpc_data, 0)?;
            if faults::dpc_begins(call.m, core, dpc) {
                let next = (core as u8 + 1) % call.m.cpus();
                queue_guest(call.m, core, dpc, HIGH, TARGETED + next);
            }
            let args = vec![dpc, context, one, two];
            Ok(Outcome::Enter {
                what: "DPC",
                routine,
                args,
                then: Then::NextDpc,
            })
        }
    }
}
