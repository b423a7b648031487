//! `irp-forgotten`. Returns and forgets its IRP.

use nt::status::STATUS_SUCCESS;
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    if BROKEN {
        return STATUS_SUCCESS;
    }
    unsafe { done(irp) }
}
