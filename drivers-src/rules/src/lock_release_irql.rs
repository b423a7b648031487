//! `lock-release-irql`. Lowers the IRQL before it releases the lock.

use nt::irql::KeLowerIrql;
use nt::spin::{KeAcquireSpinLock, KeReleaseSpinLock};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut lock = 0;
        let old = KeAcquireSpinLock(&mut lock);
        if BROKEN {
            KeLowerIrql(old);
        }
        KeReleaseSpinLock(&mut lock, old);
        done(irp)
    }
}
