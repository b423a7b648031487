//! `lock-dpc-acquire`. Takes a lock at PASSIVE_LEVEL as if it were at DISPATCH_LEVEL.

use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql, PASSIVE_LEVEL};
use nt::spin::{KeAcquireSpinLockAtDpcLevel, KeReleaseSpinLockFromDpcLevel};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut lock = 0;
        let old = KeRaiseIrql(if BROKEN {
            PASSIVE_LEVEL
        } else {
            DISPATCH_LEVEL
        });
        KeAcquireSpinLockAtDpcLevel(&mut lock);
        KeReleaseSpinLockFromDpcLevel(&mut lock);
        KeLowerIrql(old);
        done(irp)
    }
}
