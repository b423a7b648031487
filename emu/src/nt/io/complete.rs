//! Completing an IRP: completion routines from the driver that completes it up to the one that
//! sent it, then what the I/O manager does for the requester.
//!
//! The order, and when a routine is called, follow "Implementing an IoCompletion Routine" and
//! "Completing IRPs" of the Windows driver documentation, and where that is silent the behaviour
//! of ReactOS (ntoskrnl/io/iomgr/irp.c), which models Windows Server 2003.
//!
//! The last part, which copies data and sets events, is a kernel APC of the requesting thread on
//! the real system. Here it happens at once: all requesters share one address space, so it is the
//! earliest moment at which the APC could run.

use super::file::FO_SYNCHRONOUS_IO;
use super::history::{self, Ended, Origin, What};
use super::irp::{self, IO_TYPE_IRP, flags};
use super::{mdl, object};
use crate::faults;
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, byte, ptr};
use crate::nt::{self, Api, Arg, Call, Done, Trouble, dispatcher, dpc, layout, pool, status};
use crate::rules;
use crate::trace::EventKind;
use crate::trace::event::IrpOp;

const WDK: &str = "Windows driver documentation: IoCompleteRequest, Completing IRPs; wdm.h";
const MULTIPLE_IRP_COMPLETE_REQUESTS: u32 = 0x44;

/// `IO_STACK_LOCATION.Control` (`wdm.h`).
pub(super) const SL_PENDING_RETURNED: u8 = 0x01;
const SL_INVOKE_ON_CANCEL: u8 = 0x20;
const SL_INVOKE_ON_SUCCESS: u8 = 0x40;
const SL_INVOKE_ON_ERROR: u8 = 0x80;

const ARGS: &[Arg] = &[ptr("Irp"), byte("PriorityBoost")];

/// Completion functions.
pub const API: &[Api] = &[
    Api {
        name: "IofCompleteRequest",
        module: Module::Ntoskrnl,
        style: Style::Fast,
        args: ARGS,
        irql: Contract::Dispatch,
        source: WDK,
        handler: complete_call,
    },
    Api {
        name: "IoCompleteRequest",
        module: Module::Ntoskrnl,
        style: Style::Std,
        args: ARGS,
        irql: Contract::Dispatch,
        source: WDK,
        handler: complete_call,
    },
];

fn complete_call(call: &mut Call<'_>) -> Done {
    let irp = call.args[0];
    let point = faults::IrpPoint::Completing;
    faults::irps(call.m, call.core, Some(irp), point);
    if is_marked_pending(call, irp)?
        && let Some(core) = faults::complete(call.m, call.core, irp)
    {
        dpc::queue_completion(call.m, core, irp);
        return Ok(Outcome::Return(0));
    }
    begin(call, irp, nt::Then::ReturnValue(0))
}

/// Whether the driver that has the IRP has marked it pending.
fn is_marked_pending(call: &mut Call<'_>, irp: u64) -> Result<bool, Trouble> {
    let l = layout::of(call.arch());
    let count = call.u8(irp + l.irp.stack_count)?;
    let location = call.u8(irp + l.irp.current_location)?;
    // A location behind the last is that of an IRP that nobody has, or of none.
    if location == 0 || location > count {
        return Ok(false);
    }
    let stack = call.ptr(irp + l.irp.current_stack_location)?;
    Ok(call.u8(stack + l.stack.control)? & SL_PENDING_RETURNED != 0)
}

/// Completes an IRP with the status that is in it, then continues with `then` and the value 0.
pub(crate) fn begin(call: &mut Call<'_>, irp: u64, then: nt::Then) -> Done {
    let l = layout::of(call.arch());
    let count = call.u8(irp + l.irp.stack_count)?;
    let location = call.u8(irp + l.irp.current_location)?;
    let kind = call.u16(irp + l.irp.kind)?;
    if location > count.saturating_add(1) || kind != IO_TYPE_IRP {
        rules::irp::completed_twice(call.m, call.core, irp)?;
        return Err(call.bugcheck(MULTIPLE_IRP_COMPLETE_REQUESTS, [irp, 0, 0, 0]));
    }
    let status = call.u32(irp + l.irp.io_status)?;
    let cancel_routine = call.ptr(irp + l.irp.cancel_routine)?;
    rules::irp::completed(call.m, call.core, irp, status, cancel_routine)?;
    let stack = call.ptr(irp + l.irp.current_stack_location)?;
    let major = call.u8(stack + l.stack.major_function)?;
    let minor = call.u8(stack + l.stack.minor_function)?;
    history::note(call.m, call.core, irp, What::Completed(status));
    call.event(EventKind::Irp {
        op: IrpOp::Completed,
        irp,
        major,
        minor,
        device: 0,
        status,
    });
    climb(call, irp, then)
}

/// Leaves one stack location after the other, calling the routines that want to know.
fn climb(call: &mut Call<'_>, irp: u64, then: nt::Then) -> Done {
    let l = layout::of(call.arch());
    let count = call.u8(irp + l.irp.stack_count)?;
    loop {
        let left = call.ptr(irp + l.irp.current_stack_location)?;
        let location = call.u8(irp + l.irp.current_location)?.wrapping_add(1);
        call.set_u8(irp + l.irp.current_location, location)?;
        call.set_ptr(irp + l.irp.current_stack_location, left + l.stack.size)?;
        if location > count.saturating_add(1) {
            return finish(call, irp, then);
        }
        let at_top = location == count + 1;
        let control = call.u8(left + l.stack.control)?;
        let pending = control & SL_PENDING_RETURNED;
        let device = call.ptr(left + l.stack.device_object)?;
        rules::irp::left(call.m, device, irp, pending != 0);
        call.set_u8(irp + l.irp.pending_returned, pending)?;
        let wanted = wanted(call, irp)?;
        clear(call, left)?;
        if control & wanted != 0 {
            let current = left + l.stack.size;
            let device = if at_top {
                0
            } else {
                call.ptr(current + l.stack.device_object)?
            };
            let routine = call.ptr(left + l.stack.completion_routine)?;
            let context = call.ptr(left + l.stack.context)?;
            return Ok(Outcome::Enter {
                what: "completion routine",
                routine,
                args: vec![device, irp, context],
                then: nt::Then::Io(super::Then::Climb {
                    irp,
                    then: Box::new(then),
                }),
            });
        }
        if pending != 0 && !at_top {
            // Nobody above asked to be told, so the mark is passed on for them.
            let at = left + l.stack.size + l.stack.control;
            let marked = call.u8(at)? | SL_PENDING_RETURNED;
            call.set_u8(at, marked)?;
        }
    }
}

/// The control bits of which one must be set for a completion routine to be called now.
fn wanted(call: &mut Call<'_>, irp: u64) -> Result<u8, Trouble> {
    let l = layout::of(call.arch());
    let status = call.u32(irp + l.irp.io_status)?;
    let cancelled = call.u8(irp + l.irp.cancel)? != 0;
    let by_status = if status::is_success(status) {
        SL_INVOKE_ON_SUCCESS
    } else {
        SL_INVOKE_ON_ERROR
    };
    Ok(by_status | if cancelled { SL_INVOKE_ON_CANCEL } else { 0 })
}

/// Empties a stack location that is left, all but its completion routine.
fn clear(call: &mut Call<'_>, stack: u64) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    call.write_bytes(stack + l.stack.minor_function, &[0, 0, 0])?;
    for at in [
        l.stack.argument1,
        l.stack.argument2,
        l.stack.argument3,
        l.stack.argument4,
    ] {
        call.set_ptr(stack + at, 0)?;
    }
    call.set_ptr(stack + l.stack.file_object, 0)
}

/// A completion routine has returned.
pub(super) fn routine_returned(
    call: &mut Call<'_>,
    irp: u64,
    then: nt::Then,
    returned: u32,
) -> Done {
    if returned == status::MORE_PROCESSING_REQUIRED {
        // The IRP is the driver's again.
        return Ok(Outcome::Continue(then, 0));
    }
    climb(call, irp, then)
}

/// No driver is left to tell: the I/O manager's part.
fn finish(call: &mut Call<'_>, irp: u64, then: nt::Then) -> Done {
    let l = layout::of(call.arch());
    let flags = call.u32(irp + l.irp.flags)?;
    if flags & flags::ASSOCIATED_IRP != 0 {
        return finish_associated(call, irp, then);
    }
    if flags & flags::CLOSE_OPERATION != 0 {
        let ended = ended(call, irp)?;
        call.m.state.nt.io.irps.set_result(irp, ended);
        let event = call.ptr(irp + l.irp.user_event)?;
        dispatcher::set_state(call.m, call.core, event, 1);
        return Ok(Outcome::Continue(then, 0));
    }
    mdl::unlock_chain(call, irp)?;
    let pending = call.u8(irp + l.irp.pending_returned)? != 0;
    if flags & flags::DEFER_IO_COMPLETION != 0 && !pending {
        return Ok(Outcome::Continue(then, 0));
    }
    match call.m.state.nt.io.irps.origin(irp) {
        Some(Origin::Threaded | Origin::Awaited) => deliver(call, irp, then),
        _ => Err(call.unimplemented(
            "IofCompleteRequest",
            "a driver's own IRP came back to the I/O manager, which knows no thread for it: the \
             completion routine should have returned STATUS_MORE_PROCESSING_REQUIRED",
        )),
    }
}

fn ended(call: &mut Call<'_>, irp: u64) -> Result<Ended, Trouble> {
    let l = layout::of(call.arch());
    let status = call.u32(irp + l.irp.io_status)?;
    let information = call.ptr(irp + l.irp.io_status + l.io_status_block.information)?;
    Ok(Ended {
        status,
        information,
    })
}

/// One of the IRPs that a master IRP was split into is done; the last one completes the master.
fn finish_associated(call: &mut Call<'_>, irp: u64, then: nt::Then) -> Done {
    let l = layout::of(call.arch());
    let master = call.ptr(irp + l.irp.associated_irp)?;
    let left = call.u32(master + l.irp.associated_irp)?.wrapping_sub(1);
    call.set_u32(master + l.irp.associated_irp, left)?;
    mdl::free_chain(call, irp)?;
    irp::free(call, irp)?;
    if left == 0 {
        begin(call, master, then)
    } else {
        Ok(Outcome::Continue(then, 0))
    }
}

/// Gives the result to the requester: data, status block, events. Frees what the I/O manager
/// allocated for the request, and the IRP itself unless somebody waits for it.
pub(super) fn deliver(call: &mut Call<'_>, irp: u64, then: nt::Then) -> Done {
    let l = layout::of(call.arch());
    let flags = call.u32(irp + l.irp.flags)?;
    let ended = ended(call, irp)?;
    let file = call.ptr(irp + l.irp.original_file_object)?;
    if flags & flags::BUFFERED_IO != 0 {
        copy_back(call, irp, flags, ended)?;
    }
    mdl::free_chain(call, irp)?;
    signal(call, irp, file, ended)?;
    call.m.state.nt.io.irps.set_result(irp, ended);
    if call.m.state.nt.io.irps.origin(irp) == Some(Origin::Threaded) {
        irp::free(call, irp)?;
    }
    // The request held a reference to its file.
    if file != 0 && flags & flags::CREATE_OPERATION == 0 {
        return object::dereference(call, file, then);
    }
    Ok(Outcome::Continue(then, 0))
}

/// Copies what a buffered request produced to the requester and frees the system buffer.
fn copy_back(call: &mut Call<'_>, irp: u64, flags: u32, ended: Ended) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    let buffer = call.ptr(irp + l.irp.associated_irp)?;
    let to = call.ptr(irp + l.irp.user_buffer)?;
    if flags & flags::INPUT_OPERATION != 0 && !status::is_error(ended.status) && to != 0 {
        let bytes = call.read_vec(buffer, ended.information)?;
        // In the requester's context its pages come in as needed; one that is gone is its own
        // mistake and only costs it the data.
        call.m.memory.write(to, &bytes);
    }
    if flags & flags::DEALLOCATE_BUFFER != 0 && buffer != 0 {
        pool::free(call.m, call.core, buffer)?;
        call.set_ptr(irp + l.irp.associated_irp, 0)?;
    }
    Ok(())
}

/// Sets status block and events. A request that failed without ever being pending sets neither:
/// its caller has the status from the call itself.
fn signal(call: &mut Call<'_>, irp: u64, file: u64, ended: Ended) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    let pending = call.u8(irp + l.irp.pending_returned)? != 0;
    if status::is_error(ended.status) && !pending {
        return Ok(());
    }
    let block = call.ptr(irp + l.irp.user_iosb)?;
    if block != 0 {
        let n = l.pointer as usize;
        call.m.memory.write(block, &ended.status.to_le_bytes());
        let at = block + l.io_status_block.information;
        call.m
            .memory
            .write(at, &ended.information.to_le_bytes()[..n]);
    }
    let event = call.ptr(irp + l.irp.user_event)?;
    if event != 0 {
        dispatcher::set_state(call.m, call.core, event, 1);
    }
    if file != 0 {
        call.set_u32(file + l.file.final_status, ended.status)?;
        let own = file + l.file.event;
        let synchronous = call.u32(file + l.file.flags)? & FO_SYNCHRONOUS_IO != 0;
        if event == 0 || (synchronous && event != own) {
            dispatcher::set_state(call.m, call.core, own, 1);
        }
    }
    Ok(())
}
