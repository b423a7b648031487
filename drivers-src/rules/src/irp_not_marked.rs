//! `irp-not-marked`. Returns STATUS_PENDING for an IRP that is not marked pending.

use nt::io::IoMarkIrpPending;
use nt::status::STATUS_PENDING;
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        if !BROKEN {
            IoMarkIrpPending(irp);
        }
        done(irp);
        STATUS_PENDING
    }
}
