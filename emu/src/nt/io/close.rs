//! Closing a file: `IRP_MJ_CLEANUP` with the last handle, `IRP_MJ_CLOSE` with the last reference.
//!
//! Windows driver documentation: "IRP_MJ_CLEANUP", "IRP_MJ_CLOSE". Drivers cannot refuse either:
//! the status they complete with does not count.

use super::history::Origin;
use super::irp::{self, flags};
use super::send::{self, Purpose, Sent};
use super::{device, file, object};
use crate::machine::context::Outcome;
use crate::nt::{self, Call, Done, layout};

const MUST_SUCCEED_POOL_EMPTY: u32 = 0x41;
const IRP_MJ_CLOSE: u8 = 0x02;
const IRP_MJ_CLEANUP: u8 = 0x12;

/// A file being closed.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Closing {
    file: u64,
    then: Box<nt::Then>,
}

/// A handle to a file is gone; the last one is announced to the driver.
pub(super) fn handle_closed(call: &mut Call<'_>, file: u64, then: nt::Then) -> Done {
    let body = call.m.state.nt.io.objects.body(file);
    if body.is_some_and(|b| b.handles > 0) {
        return object::dereference(call, file, then);
    }
    let closing = Closing {
        file,
        then: Box::new(then),
    };
    announce(call, file, IRP_MJ_CLEANUP, Purpose::CleanUp(closing))
}

/// The driver has answered `IRP_MJ_CLEANUP`, whatever it said.
pub(super) fn cleaned_up(call: &mut Call<'_>, closing: Closing) -> Done {
    object::dereference(call, closing.file, *closing.then)
}

/// Nobody uses a file any more.
pub(super) fn delete(call: &mut Call<'_>, file: u64, then: nt::Then) -> Done {
    if call.irql() >= call.m.irqls().dispatch {
        let detail = "the last reference to a file object goes at or above DISPATCH_LEVEL";
        return Err(call.unimplemented("ObfDereferenceObject", detail));
    }
    let closing = Closing {
        file,
        then: Box::new(then),
    };
    announce(call, file, IRP_MJ_CLOSE, Purpose::Close(closing))
}

/// The driver has answered `IRP_MJ_CLOSE`, whatever it said.
pub(super) fn closed(call: &mut Call<'_>, closing: Closing) -> Done {
    let device = file::discard(call, closing.file)?;
    device::closed(call, device)?;
    Ok(Outcome::Continue(*closing.then, 0))
}

/// Sends an IRP without parameters that the driver cannot refuse.
fn announce(call: &mut Call<'_>, file: u64, major: u8, purpose: Purpose) -> Done {
    let l = layout::of(call.arch());
    let device = file::related_device(call, file)?;
    let stacks = call.u8(device + l.device.stack_size)?;
    let irp = irp::allocate(call, stacks, Origin::Awaited)?;
    if irp == 0 {
        return Err(call.bugcheck(MUST_SUCCEED_POOL_EMPTY, [0, 0, 0, 0]));
    }
    let flags = flags::CLOSE_OPERATION | flags::SYNCHRONOUS_API;
    file::fill(call, irp, file, major, flags, 0)?;
    let event = file + l.file.event;
    send::send(
        call,
        device,
        Sent {
            irp,
            event,
            wait: true,
            purpose,
        },
    )
}
