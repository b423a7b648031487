//! `irp-cancel-routine`. Completes its IRP with a cancel routine.

use nt::io::{IoReleaseCancelSpinLock, set_cancel_routine};
use nt::irql::KeGetCurrentIrql;
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        set_cancel_routine(irp, Some(cancel));
        if !BROKEN {
            set_cancel_routine(irp, None);
        }
        done(irp)
    }
}

/// Nobody cancels the IRP in so short a time.
unsafe extern "system" fn cancel(_: *mut DEVICE_OBJECT, _: *mut IRP) {
    unsafe { IoReleaseCancelSpinLock(KeGetCurrentIrql()) };
}
