//! `irql-work-return`. The routine of a work item leaves the IRQL raised.

use nt::irql::{DISPATCH_LEVEL, KeRaiseIrql};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done, in_work_item};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        in_work_item(work);
        done(irp)
    }
}

unsafe fn work() {
    if BROKEN {
        unsafe { KeRaiseIrql(DISPATCH_LEVEL) };
    }
}
