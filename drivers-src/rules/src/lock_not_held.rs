//! `lock-not-held`. Releases a lock twice.

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
        KeReleaseSpinLockFromDpcLevel(&mut lock);
        if BROKEN {
            KeReleaseSpinLockFromDpcLevel(&mut lock);
        }
        KeLowerIrql(old);
        done(irp)
    }
}
