//! `irp-marked`. Returns success for an IRP that is marked pending.

use nt::io::IoMarkIrpPending;
use nt::status::STATUS_PENDING;
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        IoMarkIrpPending(irp);
        let status = done(irp);
        if BROKEN { status } else { STATUS_PENDING }
    }
}
