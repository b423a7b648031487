//! `lock-held-return`. Returns, at the IRQL at which it was called, with a lock held.

use nt::global::Global;
use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::spin::{KeAcquireSpinLockAtDpcLevel, KeReleaseSpinLockFromDpcLevel};
use nt::types::{DEVICE_OBJECT, IRP, KSPIN_LOCK, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let old = KeRaiseIrql(DISPATCH_LEVEL);
        KeAcquireSpinLockAtDpcLevel(LOCK.get());
        if !BROKEN {
            KeReleaseSpinLockFromDpcLevel(LOCK.get());
        }
        KeLowerIrql(old);
        done(irp)
    }
}

static LOCK: Global<KSPIN_LOCK> = Global::new(0);
