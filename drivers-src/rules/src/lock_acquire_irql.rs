//! `lock-acquire-irql`. Takes a lock at the level of a device.

use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::spin::{KeAcquireSpinLock, KeReleaseSpinLock};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, DEVICE_LEVEL, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut lock = 0;
        let old = KeRaiseIrql(if BROKEN { DEVICE_LEVEL } else { DISPATCH_LEVEL });
        let before = KeAcquireSpinLock(&mut lock);
        KeReleaseSpinLock(&mut lock, before);
        KeLowerIrql(old);
        done(irp)
    }
}
