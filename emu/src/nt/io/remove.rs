//! Devices that are pulled out while they are in use.
//!
//! After "Handling an IRP_MN_SURPRISE_REMOVAL Request" of the Windows driver documentation: the
//! driver is told at once, while requests are under way and files open; when the last file is
//! closed, it is told to remove the device. No file can be opened in between. The bus and its driver
//! are not modelled: the IRPs go to the device's own driver only, and what it returns does not count.

use super::history::{Ended, Origin};
use super::irp::{self, flags};
use super::name::Entry;
use super::send::{self, Purpose, Sent};
use crate::machine::Machine;
use crate::machine::context::{Next, Outcome};
use crate::nt::{self, Call, Done, layout, status, thread};

const MUST_SUCCEED_POOL_EMPTY: u32 = 0x41;
const IRP_MJ_PNP: u8 = 0x1B;
/// `IRP_MN_SURPRISE_REMOVAL` and `IRP_MN_REMOVE_DEVICE` (`wdm.h`).
pub(super) const SURPRISE_REMOVAL: u8 = 0x17;
pub(super) const REMOVE_DEVICE: u8 = 0x02;

/// The device of this name, if it is there and has not been pulled out yet.
pub(crate) fn removable(m: &Machine, name: &str) -> Option<u64> {
    match m.state.nt.io.names.find(name) {
        Ok((Entry::Device(device), _)) if !m.state.nt.io.removed.contains_key(&device) => {
            Some(device)
        }
        _ => None,
    }
}

/// Pulls a device out.
pub(crate) fn surprise(m: &mut Machine, core: usize, device: u64) {
    m.state.nt.io.removed.insert(device, false);
    begin(m, core, super::Then::Surprise(device));
}

fn begin(m: &mut Machine, core: usize, then: super::Then) {
    let next = Next::Host(nt::Then::Io(then), 0);
    thread::create(m, core, "plug and play", irp::PRIORITY, next);
    thread::fill_idle_cores(m);
}

/// Tells the driver of a device, in a thread of its own.
pub(super) fn tell(call: &mut Call<'_>, device: u64, minor: u8) -> Done {
    let l = layout::of(call.arch());
    let stacks = call.u8(device + l.device.stack_size)?;
    let irp = irp::allocate(call, stacks, Origin::Awaited)?;
    if irp == 0 {
        return Err(call.bugcheck(MUST_SUCCEED_POOL_EMPTY, [0, 0, 0, 0]));
    }
    // Plug and play requests begin as not supported.
    call.set_u32(irp + l.irp.io_status, status::NOT_SUPPORTED)?;
    call.set_u32(irp + l.irp.flags, flags::SYNCHRONOUS_API)?;
    let stack = call
        .ptr(irp + l.irp.current_stack_location)?
        .wrapping_sub(l.stack.size);
    call.set_u8(stack + l.stack.major_function, IRP_MJ_PNP)?;
    call.set_u8(stack + l.stack.minor_function, minor)?;
    let event = call.m.kernel_object(l.dispatcher_header.size);
    nt::dispatcher::initialize(call, event, 0, (l.dispatcher_header.size / 4) as u8, 0)?;
    call.set_ptr(irp + l.irp.user_event, event)?;
    let purpose = Purpose::Removal(device, minor);
    let wait = true;
    send::send(
        call,
        device,
        Sent {
            irp,
            event,
            wait,
            purpose,
        },
    )
}

/// The driver has answered.
pub(super) fn told(call: &mut Call<'_>, device: u64, minor: u8, _: Ended) -> Done {
    if minor == SURPRISE_REMOVAL {
        let l = layout::of(call.arch());
        if call.u32(device + l.device.reference_count)? == 0 {
            remove(call, device);
        }
    }
    Ok(Outcome::End)
}

/// Nobody has a device open any more: if it was pulled out, its driver removes it.
pub(super) fn unused(call: &mut Call<'_>, device: u64) {
    if call.m.state.nt.io.removed.get(&device) == Some(&false) {
        remove(call, device);
    }
}

fn remove(call: &mut Call<'_>, device: u64) {
    call.m.state.nt.io.removed.insert(device, true);
    begin(call.m, call.core, super::Then::Remove(device));
}
