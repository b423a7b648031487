//! `irp-complete-twice`. Completes its IRP twice.

use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        if BROKEN {
            done(irp);
        }
        done(irp)
    }
}
