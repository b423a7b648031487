//! Rules about IRPs. The kinds of breaches from 0x200 on are those for which Driver Verifier gives
//! the place in the code, the IRP and, of most, the status.

use isa::Mem;

use super::{Breach, Rule, broken, by_call, kind, what};
use crate::machine::Machine;
use crate::machine::context::Frame;
use crate::nt::{layout, status};
use crate::stop::Stop;

/// The type of an IRP and of a device object, `IO_TYPE_IRP` and `IO_TYPE_DEVICE` (`wdm.h`).
const IO_TYPE_IRP: u16 = 6;
const IO_TYPE_DEVICE: u16 = 3;
/// `SL_PENDING_RETURNED` (`wdm.h`).
const SL_PENDING_RETURNED: u8 = 1;

const WHERE: [&str; 3] = ["dispatch routine", "IRP", "status that it returned"];

/// `IoCompleteRequest`.
pub static COMPLETE_IRQL: Rule = Rule {
    name: "irp-complete-irql",
    help: "IoCompleteRequest is called at DISPATCH_LEVEL or below",
    mend: "complete the IRP in a DPC",
    code: 0xC9,
    params: kind(0x0E, ["current IRQL", "IRP", ""]),
    source: "Bug Check 0xC9, 0x0E; IoCompleteRequest",
};

/// The status of what is completed.
pub static COMPLETE_PENDING: Rule = Rule {
    name: "irp-complete-pending",
    help: "no IRP is completed with STATUS_PENDING",
    mend: "set IoStatus.Status to the final status before completing",
    code: 0xC9,
    params: kind(0x06, ["status", "IRP", ""]),
    source: "Bug Check 0xC9, 0x06; Completing IRPs",
};

/// Once.
pub static COMPLETE_TWICE: Rule = Rule {
    name: "irp-complete-twice",
    help: "an IRP is completed once",
    mend: "give the IRP one owner, who completes it",
    code: 0x44,
    params: [what("IRP"), what(""), what(""), what("")],
    source: "Bug Check 0x44; Completing IRPs",
};

/// Cancel routines.
pub static CANCEL_ROUTINE: Rule = Rule {
    name: "irp-cancel-routine",
    help: "an IRP that is completed has no cancel routine",
    mend: "take the cancel routine away with IoSetCancelRoutine before completing",
    code: 0xC9,
    params: kind(0x07, ["cancel routine", "IRP", ""]),
    source: "Bug Check 0xC9, 0x07; IoSetCancelRoutine",
};

/// Pending, and not marked so.
pub static NOT_MARKED: Rule = Rule {
    name: "irp-not-marked",
    help: "a dispatch routine that returns STATUS_PENDING has marked the IRP pending",
    mend: "call IoMarkIrpPending before the IRP can be completed",
    code: 0xC9,
    params: kind(0x23D, WHERE),
    source: "Bug Check 0xC9, 0x23D; IoMarkIrpPending",
};

/// Marked pending, and not returned so.
pub static MARKED: Rule = Rule {
    name: "irp-marked",
    help: "a dispatch routine that has marked the IRP pending returns STATUS_PENDING",
    mend: "return STATUS_PENDING after IoMarkIrpPending, whatever came of the IRP",
    code: 0xC9,
    params: kind(0x23E, WHERE),
    source: "Bug Check 0xC9, 0x23E; IoMarkIrpPending",
};

/// Neither pending nor done.
pub static FORGOTTEN: Rule = Rule {
    name: "irp-forgotten",
    help: "a dispatch routine completes the IRP, passes it on, or returns STATUS_PENDING",
    mend: "complete the IRP on every path out of the routine",
    code: 0xC9,
    params: kind(0x226, ["dispatch routine", "IRP", ""]),
    source: "Bug Check 0xC9, 0x226; Completing IRPs",
};

/// `IoCallDriver`.
pub static CALL_IRQL: Rule = Rule {
    name: "irp-call-irql",
    help: "IoCallDriver is called at DISPATCH_LEVEL or below",
    mend: "send the IRP in a DPC or a thread",
    code: 0xC9,
    params: kind(0x10, ["current IRQL", "", ""]),
    source: "Bug Check 0xC9, 0x10; IoCallDriver",
};

/// What is sent.
pub static CALL_TYPE: Rule = Rule {
    name: "irp-call-type",
    help: "what IoCallDriver sends is an IRP",
    mend: "send only what IoAllocateIrp or the I/O manager gave, while it is not freed",
    code: 0xC9,
    params: kind(0x03, ["IRP", "", ""]),
    source: "Bug Check 0xC9, 0x03; IoCallDriver",
};

/// To what it is sent.
pub static CALL_DEVICE: Rule = Rule {
    name: "irp-call-device",
    help: "what IoCallDriver sends to is a device object",
    mend: "keep a reference to the device for as long as it is used",
    code: 0xC9,
    params: kind(0x04, ["device object", "", ""]),
    source: "Bug Check 0xC9, 0x04; IoCallDriver",
};

/// What is freed.
pub static FREE_TYPE: Rule = Rule {
    name: "irp-free-type",
    help: "what IoFreeIrp frees is an IRP",
    mend: "free an IRP once, and nothing else as one",
    code: 0xC9,
    params: kind(0x01, ["IRP", "", ""]),
    source: "Bug Check 0xC9, 0x01; IoFreeIrp",
};

/// An IRP that has been completed before is completed again.
pub(crate) fn completed_twice(m: &mut Machine, core: usize, irp: u64) -> Result<(), Box<Stop>> {
    let what = "completes an IRP that has been completed";
    by_call(m, core, &COMPLETE_TWICE, &[irp], irp, what)
}

/// An IRP is completed.
pub(crate) fn completed(
    m: &mut Machine,
    core: usize,
    irp: u64,
    status: u32,
    cancel_routine: u64,
) -> Result<(), Box<Stop>> {
    if status == status::PENDING || status == u32::MAX {
        let values = [u64::from(status), irp];
        let what = format!("completes an IRP with {status:#010x}");
        by_call(m, core, &COMPLETE_PENDING, &values, irp, what)?;
    }
    if cancel_routine != 0 {
        let what = "completes an IRP with its cancel routine set";
        by_call(m, core, &CANCEL_ROUTINE, &[cancel_routine, irp], irp, what)?;
    }
    Ok(())
}

/// An IRP is sent to a device.
pub(crate) fn sent(m: &mut Machine, core: usize, device: u64, irp: u64) -> Result<(), Box<Stop>> {
    if m.memory.read_u16(irp) != Some(IO_TYPE_IRP) {
        let what = format!("sends {irp:#x}, which is no IRP");
        by_call(m, core, &CALL_TYPE, &[irp], irp, what)?;
    }
    if m.memory.read_u16(device) != Some(IO_TYPE_DEVICE) {
        let what = format!("sends an IRP to {device:#x}, which is no device");
        by_call(m, core, &CALL_DEVICE, &[device], irp, what)?;
    }
    Ok(())
}

/// `IoFreeIrp` is called.
pub(crate) fn freed(m: &mut Machine, core: usize, irp: u64) -> Result<(), Box<Stop>> {
    if m.memory.read_u16(irp) != Some(IO_TYPE_IRP) {
        let what = format!("frees {irp:#x}, which is no IRP, as one");
        by_call(m, core, &FREE_TYPE, &[irp], irp, what)?;
    }
    Ok(())
}

/// An IRP leaves the stack location of a device, marked pending or not: the dispatch routine that
/// has it may still be active, on any core or in a thread on none.
pub(crate) fn left(m: &mut Machine, device: u64, irp: u64, marked: bool) {
    let running = m.state.cores.iter_mut().flat_map(|c| &mut c.contexts);
    let threads = m.state.nt.threads.list.iter_mut();
    let waiting = threads.filter_map(|t| t.context.as_mut());
    for frame in running.chain(waiting).flat_map(|c| &mut c.frames) {
        let entered = &mut frame.entered;
        if frame.what == "dispatch" && entered.args[..2] == [device, irp] {
            entered.marked = Some(marked);
        }
    }
}

/// A dispatch routine returns.
pub(super) fn dispatched(
    m: &mut Machine,
    core: usize,
    frame: &Frame,
    value: u64,
) -> Result<(), Box<Stop>> {
    let [device, irp, stack] = frame.entered.args;
    let pending = value as u32 == status::PENDING;
    let broken = |m: &mut Machine, rule: &'static Rule, what: &str| {
        let breach = Breach {
            rule,
            values: &[frame.routine, irp, u64::from(value as u32)],
            object: irp,
            pc: Some(frame.routine),
            what: what.into(),
        };
        broken(m, core, breach)
    };
    let (marked, kept) = match frame.entered.marked {
        Some(marked) => (marked, false),
        None => {
            // Nobody has completed it; unless it went on it is in the routine's stack location.
            let l = layout::of(m.arch());
            let at = m
                .memory
                .read_ptr(m.arch(), irp + l.irp.current_stack_location);
            let of = m.memory.read_ptr(m.arch(), stack + l.stack.device_object);
            if at != Some(stack) || of != Some(device) {
                return Ok(());
            }
            let control = m.memory.read_u8(stack + l.stack.control).unwrap_or(0);
            (control & SL_PENDING_RETURNED != 0, true)
        }
    };
    match (pending, marked) {
        (true, false) => broken(
            m,
            &NOT_MARKED,
            "a dispatch routine returns STATUS_PENDING for an IRP that is not marked pending",
        ),
        (false, true) => broken(
            m,
            &MARKED,
            "a dispatch routine returns another status for an IRP that is marked pending",
        ),
        (false, false) if kept => broken(
            m,
            &FORGOTTEN,
            "a dispatch routine returns and has neither completed its IRP nor passed it on",
        ),
        _ => Ok(()),
    }
}
