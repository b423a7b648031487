//! The I/O manager and the object manager: drivers, devices, files, handles, IRPs and MDLs.
//!
//! What a driver can see of an object is in guest memory, laid out as in
//! [`layout`](super::layout); what only the kernel knows of it is in [`Io`]. Everything the I/O
//! manager does around a driver's routine is a value of [`Then`]: a dispatch routine, a completion
//! routine or a wait can end long after the function that led to it.

pub mod build;
pub mod cancel;
pub mod close;
pub mod complete;
pub mod device;
pub mod driver;
mod ea;
pub mod event;
pub mod file;
pub mod history;
pub mod irp;
pub mod listing;
pub mod mdl;
pub mod name;
pub mod object;
pub mod open;
pub mod remove;
pub mod request;
pub mod send;
#[cfg(test)]
mod tests;
pub mod transfer;

use std::collections::{BTreeMap, BTreeSet};

use super::{Call, Done, Trouble, registry, status};
use crate::machine::context::Outcome;
pub use object::{HandleTarget, new_handle};

/// The I/O manager's and the object manager's state.
#[derive(Clone, Default, Hash)]
pub struct Io {
    /// Names of devices, links and events.
    pub names: name::Namespace,
    /// Handles and reference counts.
    pub objects: object::Objects,
    /// Loaded drivers, in load order.
    pub drivers: Vec<driver::Driver>,
    /// Devices that have been deleted while files were open on them.
    deleted_devices: BTreeSet<u64>,
    /// Devices that were pulled out, and whether their drivers have been told to remove them.
    removed: BTreeMap<u64, bool>,
    /// Drivers that are to be unloaded when nobody has their devices open, by number.
    unloading: BTreeSet<usize>,
    /// IRPs in flight, and some that have ended.
    pub irps: history::Irps,
    /// Pages that MDLs or drivers hold in memory.
    pub locked: mdl::Locked,
    /// Devices that asked for a notice of the system's shutdown.
    pub shutdown: Vec<u64>,
    /// Address of the cancel spin lock; 0 before its first use.
    cancel_lock: u64,
}

/// What the I/O manager does when a routine it called has returned, or a wait has ended.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Then {
    /// A completion routine has returned: its result says whether the IRP goes on.
    Climb {
        /// The IRP.
        irp: u64,
        /// What follows when the IRP is done, or stays with a driver.
        then: Box<super::Then>,
    },
    /// The dispatch routine that got an IRP of the I/O manager has returned.
    Sent(Box<send::Sent>),
    /// The wait for a pending IRP is over.
    Awaited(Box<send::Sent>),
    /// A request that its driver does not serve has been completed.
    Refused(Box<super::Then>),
    /// The cancel spin lock has been taken for this IRP at this IRQL.
    Cancel {
        /// The IRP.
        irp: u64,
        /// The IRQL before.
        irql: u8,
    },
    /// An IRP that became pending before its driver got it goes there now.
    HandOver {
        /// The device.
        device: u64,
        /// The IRP.
        irp: u64,
    },
    /// A requester begins to cancel its IRP.
    CancelOutside {
        /// The IRP.
        irp: u64,
    },
    /// It has taken the cancel spin lock, at this IRQL.
    CancelLocked {
        /// The IRP.
        irp: u64,
        /// The IRQL before.
        irql: u8,
    },
    /// A device has been pulled out: its driver is to know.
    Surprise(u64),
    /// The driver of a device that is gone is told to remove it.
    Remove(u64),
    /// The unload routine of a driver that nobody uses any more is called, by number.
    Unload(usize),
    /// It has returned.
    Unloaded(usize, Box<super::Then>),
    /// The routine of a registry query table has returned.
    Query(Box<registry::Query>),
}

/// Continues the I/O manager's work.
pub(crate) fn resume(call: &mut Call<'_>, then: Then, value: u64) -> Done {
    match then {
        Then::Climb { irp, then } => complete::routine_returned(call, irp, *then, value as u32),
        Then::Sent(sent) => send::sent(call, *sent, value as u32),
        Then::Awaited(sent) => send::awaited(call, *sent),
        Then::Refused(then) => Ok(Outcome::Continue(
            *then,
            u64::from(status::INVALID_DEVICE_REQUEST),
        )),
        Then::Cancel { irp, irql } => cancel::locked(call, irp, irql),
        Then::HandOver { device, irp } => irp::hand_over(call, device, irp, super::Then::End),
        Then::CancelOutside { irp } => cancel::outside(call, irp),
        Then::CancelLocked { irp, irql } => cancel::outside_locked(call, irp, irql),
        Then::Surprise(device) => remove::tell(call, device, remove::SURPRISE_REMOVAL),
        Then::Remove(device) => remove::tell(call, device, remove::REMOVE_DEVICE),
        Then::Unload(index) => driver::enter_unload(call, index, super::Then::End),
        Then::Unloaded(index, then) => driver::unloaded(call, index, *then),
        Then::Query(query) => registry::routine_returned(call, *query, value as u32),
    }
}

/// Entries of a list in a driver's memory that are followed before it counts as endless.
const LIST_MAX: usize = 4096;

/// The entries of a list in a driver's memory: the address of the first one is at `head`, that of
/// each other one at `next` in the one before it.
fn linked(call: &mut Call<'_>, head: u64, next: u64) -> Result<Vec<u64>, Trouble> {
    let mut list = Vec::new();
    let mut entry = call.ptr(head)?;
    while entry != 0 {
        if list.len() == LIST_MAX {
            let detail = format!("the list at {head:#x} does not end");
            return Err(call.unimplemented("the I/O manager", detail));
        }
        list.push(entry);
        entry = call.ptr(entry + next)?;
    }
    Ok(list)
}
