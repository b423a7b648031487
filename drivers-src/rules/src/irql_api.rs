//! `irql-api`. Waits for an interval, which is for APC_LEVEL and below, at DISPATCH_LEVEL.

use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql, PASSIVE_LEVEL};
use nt::ke::KeDelayExecutionThread;
use nt::types::{DEVICE_OBJECT, IRP, KernelMode, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let old = KeRaiseIrql(if BROKEN {
            DISPATCH_LEVEL
        } else {
            PASSIVE_LEVEL
        });
        KeDelayExecutionThread(KernelMode, 0, &-10_000);
        KeLowerIrql(old);
        done(irp)
    }
}
