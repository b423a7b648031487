//! IRPs: their memory, and handing them to drivers.

use super::complete::{self, SL_PENDING_RETURNED};
use super::history::{Origin, What, note};
use crate::faults;
use crate::machine::Machine;
use crate::machine::context::{Next, Outcome};
use crate::nt::api::{Contract, Module, Style, byte, ptr, word};
use crate::nt::{self, Api, Arg, Call, Done, Trouble, layout, pool, status, thread};
use crate::rules;
use crate::trace::EventKind;
use crate::trace::event::IrpOp;

const WDK: &str = "Windows driver documentation: IoCallDriver, IoAllocateIrp, I/O Stack Locations; \
                   wdm.h";
const NO_MORE_IRP_STACK_LOCATIONS: u32 = 0x35;

/// Of the kernel's threads that work on behalf of no program.
pub(super) const PRIORITY: u8 = 12;

/// `IO_TYPE_IRP`
pub(super) const IO_TYPE_IRP: u16 = 6;
/// `IRP.Flags` (`wdm.h`, `ntifs.h`).
pub(super) mod flags {
    pub const ASSOCIATED_IRP: u32 = 0x8;
    pub const SYNCHRONOUS_API: u32 = 0x4;
    pub const BUFFERED_IO: u32 = 0x10;
    pub const DEALLOCATE_BUFFER: u32 = 0x20;
    pub const INPUT_OPERATION: u32 = 0x40;
    pub const CREATE_OPERATION: u32 = 0x80;
    pub const READ_OPERATION: u32 = 0x100;
    pub const WRITE_OPERATION: u32 = 0x200;
    pub const CLOSE_OPERATION: u32 = 0x400;
    pub const DEFER_IO_COMPLETION: u32 = 0x800;
}

const fn row(
    name: &'static str,
    style: Style,
    args: &'static [Arg],
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    let (module, irql) = (Module::Ntoskrnl, Contract::Dispatch);
    Api {
        name,
        module,
        style,
        args,
        irql,
        source: WDK,
        handler,
    }
}

use Style::{Fast, Std};

/// Functions on IRPs.
pub const API: &[Api] = &[
    row(
        "IoAllocateIrp",
        Std,
        &[byte("StackSize"), byte("ChargeQuota")],
        allocate_call,
    ),
    row(
        "IoInitializeIrp",
        Std,
        &[ptr("Irp"), word("PacketSize"), byte("StackSize")],
        initialize_call,
    ),
    row(
        "IoReuseIrp",
        Std,
        &[ptr("Irp"), crate::nt::api::long("Status")],
        reuse,
    ),
    row("IoFreeIrp", Std, &[ptr("Irp")], free_call),
    row(
        "IofCallDriver",
        Fast,
        &[ptr("DeviceObject"), ptr("Irp")],
        call_driver_call,
    ),
    row(
        "IoCallDriver",
        Std,
        &[ptr("DeviceObject"), ptr("Irp")],
        call_driver_call,
    ),
    row(
        INVALID_REQUEST,
        Std,
        &[ptr("DeviceObject"), ptr("Irp")],
        invalid_device_request,
    ),
];

/// The dispatch routine of major functions that a driver does not set. Not exported by the real
/// kernel either; drivers only find it in their driver object.
pub(super) const INVALID_REQUEST: &str = "IopInvalidDeviceRequest";

/// The address that stands for [`INVALID_REQUEST`] in driver objects.
pub(super) fn invalid_request_routine(m: &Machine) -> u64 {
    nt::find(INVALID_REQUEST).map_or(0, |api| m.address_of(api))
}

/// Fills in the memory of an IRP with `stacks` stack locations, none of them in use.
fn initialize(call: &mut Call<'_>, irp: u64, size: u16, stacks: u8) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    call.write_bytes(irp, &vec![0; usize::from(size)])?;
    call.set_u16(irp + l.irp.kind, IO_TYPE_IRP)?;
    call.set_u16(irp + l.irp.packet_size, size)?;
    call.set_u8(irp + l.irp.stack_count, stacks)?;
    call.set_u8(irp + l.irp.current_location, stacks.wrapping_add(1))?;
    let list = irp + l.irp.thread_list_entry;
    call.set_ptr(list + l.list_entry.flink, list)?;
    call.set_ptr(list + l.list_entry.blink, list)?;
    let end = irp + l.irp.size + u64::from(stacks) * l.stack.size;
    call.set_ptr(irp + l.irp.current_stack_location, end)
}

fn size_of(call: &Call<'_>, stacks: u8) -> u64 {
    let l = layout::of(call.arch());
    l.irp.size + u64::from(stacks) * l.stack.size
}

/// Allocates an IRP; 0 if the pool is exhausted, or a fault wants it to be.
pub(super) fn allocate(call: &mut Call<'_>, stacks: u8, origin: Origin) -> Result<u64, Trouble> {
    let size = size_of(call, stacks);
    let strikes = origin == Origin::Driver
        && crate::faults::allocation(call.m, call.core, size, *b"Irp ", false);
    let irp = if strikes {
        0
    } else {
        pool::allocate(call.m, call.core, size, *b"Irp ", false)
    };
    if irp != 0 {
        initialize(call, irp, size as u16, stacks)?;
        note(call.m, call.core, irp, What::Allocated);
        call.m.state.nt.io.irps.set_origin(irp, origin);
    }
    Ok(irp)
}

/// Frees an IRP's memory.
pub(super) fn free(call: &mut Call<'_>, irp: u64) -> Result<(), Trouble> {
    pool::free(call.m, call.core, irp)?;
    note(call.m, call.core, irp, What::Freed);
    Ok(())
}

fn allocate_call(call: &mut Call<'_>) -> Done {
    let stacks = call.args[0] as u8;
    allocate(call, stacks, Origin::Driver).map(Outcome::Return)
}

fn initialize_call(call: &mut Call<'_>) -> Done {
    let [irp, size, stacks, ..] = call.args;
    initialize(call, irp, size as u16, stacks as u8)?;
    Ok(Outcome::Return(0))
}

fn reuse(call: &mut Call<'_>) -> Done {
    let [irp, status, ..] = call.args;
    let l = layout::of(call.arch());
    let size = call.u16(irp + l.irp.packet_size)?;
    let stacks = call.u8(irp + l.irp.stack_count)?;
    let allocation = call.u8(irp + l.irp.allocation_flags)?;
    initialize(call, irp, size, stacks)?;
    call.set_u8(irp + l.irp.allocation_flags, allocation)?;
    call.set_u32(irp + l.irp.io_status, status as u32)?;
    Ok(Outcome::Return(0))
}

fn free_call(call: &mut Call<'_>) -> Done {
    let irp = call.args[0];
    rules::irp::freed(call.m, call.core, irp)?;
    free(call, irp)?;
    Ok(Outcome::Return(0))
}

fn call_driver_call(call: &mut Call<'_>) -> Done {
    let [device, irp, ..] = call.args;
    call_driver(call, device, irp, nt::Then::Return)
}

/// Hands an IRP to the driver of `device`: its next stack location becomes the current one and the
/// dispatch routine of its major function is called; `then` gets what that returns.
pub(super) fn call_driver(call: &mut Call<'_>, device: u64, irp: u64, then: nt::Then) -> Done {
    if faults::dispatch(call.m, call.core, irp) {
        return pend(call, device, irp, then);
    }
    hand_over(call, device, irp, then)
}

/// The driver of `device` is about to take an IRP that is pending already: it gets it in a thread of
/// its own, and `then` gets STATUS_PENDING.
fn pend(call: &mut Call<'_>, device: u64, irp: u64, then: nt::Then) -> Done {
    let l = layout::of(call.arch());
    let next = call
        .ptr(irp + l.irp.current_stack_location)?
        .wrapping_sub(l.stack.size);
    let marked = call.u8(next + l.stack.control)? | SL_PENDING_RETURNED;
    call.set_u8(next + l.stack.control, marked)?;
    let later = nt::Then::Io(super::Then::HandOver { device, irp });
    thread::create(
        call.m,
        call.core,
        "pending request",
        PRIORITY,
        Next::Host(later, 0),
    );
    Ok(Outcome::Continue(then, u64::from(status::PENDING)))
}

/// [`call_driver`] without asking whether the IRP becomes pending.
pub(super) fn hand_over(call: &mut Call<'_>, device: u64, irp: u64, then: nt::Then) -> Done {
    let l = layout::of(call.arch());
    rules::irp::sent(call.m, call.core, device, irp)?;
    let location = (call.u8(irp + l.irp.current_location)? as i8).wrapping_sub(1);
    call.set_u8(irp + l.irp.current_location, location as u8)?;
    if location <= 0 {
        return Err(call.bugcheck(NO_MORE_IRP_STACK_LOCATIONS, [irp, 0, 0, 0]));
    }
    let stack = call
        .ptr(irp + l.irp.current_stack_location)?
        .wrapping_sub(l.stack.size);
    call.set_ptr(irp + l.irp.current_stack_location, stack)?;
    call.set_ptr(stack + l.stack.device_object, device)?;
    let major = call.u8(stack + l.stack.major_function)?;
    let minor = call.u8(stack + l.stack.minor_function)?;
    let driver = call.ptr(device + l.device.driver_object)?;
    let slot = driver + l.driver.major_function + u64::from(major) * l.pointer;
    let routine = call.ptr(slot)?;
    note(call.m, call.core, irp, What::Dispatched { device, major });
    call.event(EventKind::Irp {
        op: IrpOp::Dispatched,
        irp,
        major,
        minor,
        device,
        status: 0,
    });
    faults::irps(call.m, call.core, Some(irp), faults::IrpPoint::Dispatched);
    if routine == invalid_request_routine(call.m) {
        return fail_request(call, irp, then);
    }
    Ok(Outcome::Enter {
        what: "dispatch",
        routine,
        args: vec![device, irp],
        then,
    })
}

fn invalid_device_request(call: &mut Call<'_>) -> Done {
    let irp = call.args[1];
    fail_request(call, irp, nt::Then::Return)
}

/// Completes an IRP with STATUS_INVALID_DEVICE_REQUEST; `then` gets that status, as the result of
/// the dispatch routine.
fn fail_request(call: &mut Call<'_>, irp: u64, then: nt::Then) -> Done {
    let l = layout::of(call.arch());
    let failure = status::INVALID_DEVICE_REQUEST;
    call.set_u32(irp + l.irp.io_status, failure)?;
    call.set_ptr(irp + l.irp.io_status + l.io_status_block.information, 0)?;
    let then = nt::Then::Io(super::Then::Refused(Box::new(then)));
    complete::begin(call, irp, then)
}
