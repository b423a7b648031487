//! `lock-dpc-release`. Lowers the IRQL before it releases the lock as if it were at DISPATCH_LEVEL.

use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::spin::{KeAcquireSpinLockAtDpcLevel, KeReleaseSpinLockFromDpcLevel};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut lock = 0;
        let old = KeRaiseIrql(DISPATCH_LEVEL);
        KeAcquireSpinLockAtDpcLevel(&mut lock);
        if BROKEN {
            KeLowerIrql(old);
        }
        KeReleaseSpinLockFromDpcLevel(&mut lock);
        KeLowerIrql(old);
        done(irp)
    }
}
