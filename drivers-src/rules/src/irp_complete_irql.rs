//! `irp-complete-irql`. Completes its IRP at the level of a device.

use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, DEVICE_LEVEL, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let old = KeRaiseIrql(if BROKEN { DEVICE_LEVEL } else { DISPATCH_LEVEL });
        let status = done(irp);
        KeLowerIrql(old);
        status
    }
}
