//! IRPs of the I/O manager itself: sending one, waiting for its end, and what follows from that.

use super::close::{self, Closing};
use super::complete;
use super::history::{Ended, Origin};
use super::irp::{self, call_driver, flags};
use super::open::{self, Opening};
use super::remove;
use super::transfer::{self, Transfer};
use crate::faults;
use crate::nt::{self, Call, Done, dispatcher, layout, status};

/// An IRP of the I/O manager on its way, and what it is for.
#[derive(Clone, Debug, PartialEq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Purpose {
    /// `IRP_MJ_CREATE`
    Open(Opening),
    /// `IRP_MJ_CLEANUP`
    CleanUp(Closing),
    /// `IRP_MJ_CLOSE`
    Close(Closing),
    /// A control request, a read or a write.
    Transfer(Transfer),
    /// A removal of a device, by minor function.
    Removal(u64, u8),
}

/// Sends an IRP of the I/O manager to a device.
pub(super) fn send(call: &mut Call<'_>, device: u64, sent: Sent) -> Done {
    let irp = sent.irp;
    call_driver(
        call,
        device,
        irp,
        nt::Then::Io(super::Then::Sent(Box::new(sent))),
    )
}

/// The dispatch routine that got an IRP of the I/O manager has returned.
pub(super) fn sent(call: &mut Call<'_>, sent: Sent, returned: u32) -> Done {
    if returned == status::PENDING {
        let point = faults::IrpPoint::Pending;
        faults::irps(call.m, call.core, Some(sent.irp), point);
    }
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
    call.m
        .state
        .nt
        .io
        .irps
        .set_origin(sent.irp, Origin::Threaded);
    finish(
        call,
        sent.purpose,
        Ended {
            status: returned,
            information: 0,
        },
    )
}

/// The wait for a pending IRP of the I/O manager is over.
pub(super) fn awaited(call: &mut Call<'_>, sent: Sent) -> Done {
    collect(call, sent)
}

/// Takes the result out of an IRP that has ended, and frees it.
fn collect(call: &mut Call<'_>, sent: Sent) -> Done {
    let none = Ended {
        status: status::UNSUCCESSFUL,
        information: 0,
    };
    let ended = call.m.state.nt.io.irps.result(sent.irp).unwrap_or(none);
    irp::free(call, sent.irp)?;
    finish(call, sent.purpose, ended)
}

fn finish(call: &mut Call<'_>, purpose: Purpose, ended: Ended) -> Done {
    match purpose {
        Purpose::Open(opening) => open::opened(call, opening, ended),
        Purpose::CleanUp(closing) => close::cleaned_up(call, closing),
        Purpose::Close(closing) => close::closed(call, closing),
        Purpose::Removal(device, minor) => remove::told(call, device, minor, ended),
        Purpose::Transfer(transfer) => transfer::ended(call, transfer, ended),
    }
}
