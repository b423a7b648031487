//! `irql-dispatch-return`. A dispatch routine leaves the IRQL raised.

use nt::irql::{DISPATCH_LEVEL, KeRaiseIrql};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let status = done(irp);
        if BROKEN {
            KeRaiseIrql(DISPATCH_LEVEL);
        }
        status
    }
}
