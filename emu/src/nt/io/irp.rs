//! IRPs: their memory, their history, and handing them to drivers.

use std::collections::{BTreeMap, VecDeque};

use super::file::{self, Closing, Opening};
use super::transfer::{self, Transfer};
use super::complete;
use crate::machine::Machine;
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, byte, ptr, word};
use crate::nt::{self, Api, Arg, Call, Done, Trouble, dispatcher, layout, pool, status};
use crate::position::Position;
use crate::trace::EventKind;
use crate::trace::event::IrpOp;

const WDK: &str = "Windows driver documentation: IoCallDriver, IoAllocateIrp, I/O Stack Locations; \
                   wdm.h";
const NO_MORE_IRP_STACK_LOCATIONS: u32 = 0x35;

/// `IO_TYPE_IRP`
pub(super) const IO_TYPE_IRP: u16 = 6;
/// IRPs that have ended and are still remembered.
const REMEMBERED: usize = 64;

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

/// Who owns an IRP, and so who frees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A driver: from `IoAllocateIrp` and its relatives.
    Driver,
    /// The I/O manager, which frees it when it is complete.
    Threaded,
    /// The I/O manager, which waits for it and frees it then.
    Awaited,
}

/// What is known of an IRP beyond its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its address.
    pub irp: u64,
    /// Who owns it.
    pub origin: Origin,
    /// What happened to it, oldest first.
    pub history: Vec<Step>,
    /// How it ended, for its sender: `IoStatus`.
    result: Option<Ended>,
}

/// One thing that happened to an IRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Position,
    /// On which core.
    pub core: u8,
    /// Guest address of the call that did it.
    pub pc: u64,
    /// What.
    pub what: What,
}

/// What happened to an IRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was allocated.
    Allocated,
    /// It went to the driver of this device, with this major function.
    Dispatched {
        /// Device object.
        device: u64,
        /// Major function code.
        major: u8,
    },
    /// It was completed with this status.
    Completed(u32),
    /// It was cancelled.
    Cancelled,
    /// It was freed.
    Freed,
}

/// How an IRP ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub status: u32,
    pub information: u64,
}

/// The IRPs in flight by address, and the last ones that ended.
#[derive(Clone, Debug, Default)]
pub struct Irps {
    live: BTreeMap<u64, Record>,
    ended: VecDeque<Record>,
}

impl Irps {
    /// The IRPs in flight, by address.
    pub fn live(&self) -> impl Iterator<Item = &Record> {
        self.live.values()
    }

    /// Everything known of IRPs at this address, the newest last.
    pub fn history(&self, irp: u64) -> impl Iterator<Item = &Record> {
        let ended = self.ended.iter().filter(move |r| r.irp == irp);
        ended.chain(self.live.get(&irp))
    }

    pub(super) fn origin(&self, irp: u64) -> Option<Origin> {
        self.live.get(&irp).map(|r| r.origin)
    }

    pub(super) fn set_origin(&mut self, irp: u64, origin: Origin) {
        if let Some(record) = self.live.get_mut(&irp) {
            record.origin = origin;
        }
    }

    pub(super) fn set_result(&mut self, irp: u64, ended: Ended) {
        if let Some(record) = self.live.get_mut(&irp) {
            record.result = Some(ended);
        }
    }

    fn result(&self, irp: u64) -> Option<Ended> {
        self.live.get(&irp).and_then(|r| r.result)
    }

    fn note(&mut self, irp: u64, step: Step) {
        // An IRP in a driver's own memory begins its history with the first thing that happens.
        let new = || Record { irp, origin: Origin::Driver, history: Vec::new(), result: None };
        let record = self.live.entry(irp).or_insert_with(new);
        record.history.push(step);
        if step.what == What::Freed
            && let Some(record) = self.live.remove(&irp)
        {
            if self.ended.len() == REMEMBERED {
                self.ended.pop_front();
            }
            self.ended.push_back(record);
        }
    }
}

/// Adds to an IRP's history.
pub(super) fn note(m: &mut Machine, core: usize, irp: u64, what: What) {
    let step = Step { at: m.position(), core: core as u8, pc: m.caller_address(core), what };
    m.state.nt.io.irps.note(irp, step);
}

const fn row(
    name: &'static str,
    style: Style,
    args: &'static [Arg],
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    let (module, irql) = (Module::Ntoskrnl, Contract::Dispatch);
    Api { name, module, style, args, irql, source: WDK, handler }
}

use Style::{Fast, Std};

/// Functions on IRPs.
pub const API: &[Api] = &[
    row("IoAllocateIrp", Std, &[byte("StackSize"), byte("ChargeQuota")], allocate_call),
    row(
        "IoInitializeIrp",
        Std,
        &[ptr("Irp"), word("PacketSize"), byte("StackSize")],
        initialize_call,
    ),
    row("IoReuseIrp", Std, &[ptr("Irp"), crate::nt::api::long("Status")], reuse),
    row("IoFreeIrp", Std, &[ptr("Irp")], free_call),
    row("IofCallDriver", Fast, &[ptr("DeviceObject"), ptr("Irp")], call_driver_call),
    row("IoCallDriver", Std, &[ptr("DeviceObject"), ptr("Irp")], call_driver_call),
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
    let irp = if strikes { 0 } else { pool::allocate(call.m, call.core, size, *b"Irp ", false) };
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
    let l = layout::of(call.arch());
    let location = (call.u8(irp + l.irp.current_location)? as i8).wrapping_sub(1);
    call.set_u8(irp + l.irp.current_location, location as u8)?;
    if location <= 0 {
        return Err(call.bugcheck(NO_MORE_IRP_STACK_LOCATIONS, [irp, 0, 0, 0]));
    }
    let stack = call.ptr(irp + l.irp.current_stack_location)?.wrapping_sub(l.stack.size);
    call.set_ptr(irp + l.irp.current_stack_location, stack)?;
    call.set_ptr(stack + l.stack.device_object, device)?;
    let major = call.u8(stack + l.stack.major_function)?;
    let minor = call.u8(stack + l.stack.minor_function)?;
    let driver = call.ptr(device + l.device.driver_object)?;
    let slot = driver + l.driver.major_function + u64::from(major) * l.pointer;
    let routine = call.ptr(slot)?;
    note(call.m, call.core, irp, What::Dispatched { device, major });
    call.event(EventKind::Irp { op: IrpOp::Dispatched, irp, major, minor, device, status: 0 });
    if routine == invalid_request_routine(call.m) {
        return fail_request(call, irp, then);
    }
    Ok(Outcome::Enter { what: "dispatch", routine, args: vec![device, irp], then })
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

/// An IRP of the I/O manager on its way, and what it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The IRP.
    pub irp: u64,
    /// The event that its completion sets.
    pub event: u64,
    /// Whether to wait for it.
    pub wait: bool,
    /// What it is for.
    pub purpose: Purpose,
}

/// What an IRP of the I/O manager is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// `IRP_MJ_CREATE`
    Open(Opening),
    /// `IRP_MJ_CLEANUP`
    CleanUp(Closing),
    /// `IRP_MJ_CLOSE`
    Close(Closing),
    /// A control request, a read or a write.
    Transfer(Transfer),
}

/// Sends an IRP of the I/O manager to a device.
pub(super) fn send(call: &mut Call<'_>, device: u64, sent: Sent) -> Done {
    let irp = sent.irp;
    call_driver(call, device, irp, nt::Then::Io(super::Then::Sent(Box::new(sent))))
}

/// The dispatch routine that got an IRP of the I/O manager has returned.
pub(super) fn sent(call: &mut Call<'_>, sent: Sent, returned: u32) -> Done {
    if returned == status::PENDING && sent.wait {
        let event = sent.event;
        let then = nt::Then::Io(super::Then::Awaited(Box::new(sent)));
        return dispatcher::wait_for(call, vec![event], false, None, then);
    }
    if call.m.state.nt.io.irps.result(sent.irp).is_some() {
        return collect(call, sent);
    }
    let flags = call.u32(sent.irp + layout::of(call.arch()).irp.flags)?;
    if flags & flags::DEFER_IO_COMPLETION != 0 {
        // Its completion was left to here, where the thread that wants the result runs. If the
        // driver has not completed it at all, it loses its IRP now.
        let irp = sent.irp;
        let then = nt::Then::Io(super::Then::Awaited(Box::new(sent)));
        return complete::deliver(call, irp, then);
    }
    // The driver keeps the IRP although it says otherwise, or nobody waits for it.
    call.m.state.nt.io.irps.set_origin(sent.irp, Origin::Threaded);
    finish(call, sent.purpose, Ended { status: returned, information: 0 })
}

/// The wait for a pending IRP of the I/O manager is over.
pub(super) fn awaited(call: &mut Call<'_>, sent: Sent) -> Done {
    collect(call, sent)
}

/// Takes the result out of an IRP that has ended, and frees it.
fn collect(call: &mut Call<'_>, sent: Sent) -> Done {
    let none = Ended { status: status::UNSUCCESSFUL, information: 0 };
    let ended = call.m.state.nt.io.irps.result(sent.irp).unwrap_or(none);
    free(call, sent.irp)?;
    finish(call, sent.purpose, ended)
}

fn finish(call: &mut Call<'_>, purpose: Purpose, ended: Ended) -> Done {
    match purpose {
        Purpose::Open(opening) => file::opened(call, opening, ended),
        Purpose::CleanUp(closing) => file::cleaned_up(call, closing),
        Purpose::Close(closing) => file::closed(call, closing),
        Purpose::Transfer(transfer) => transfer::ended(call, transfer, ended),
    }
}
