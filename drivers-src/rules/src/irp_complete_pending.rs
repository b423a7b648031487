//! `irp-complete-pending`. Completes its IRP with STATUS_PENDING.

use nt::io::complete;
use nt::status::{STATUS_PENDING, STATUS_SUCCESS};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::BROKEN;

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        complete(
            irp,
            if BROKEN {
                STATUS_PENDING
            } else {
                STATUS_SUCCESS
            },
            0,
        )
    }
}
