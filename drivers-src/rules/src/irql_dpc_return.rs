//! `irql-dpc-return`. A DPC routine returns at the level of a device.

use nt::irql::KeRaiseIrql;
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, DEVICE_LEVEL, done, in_dpc};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        in_dpc(work);
        done(irp)
    }
}

unsafe fn work() {
    if BROKEN {
        unsafe { KeRaiseIrql(DEVICE_LEVEL) };
    }
}
