//! `lock-recursive`. Takes a lock that it has.

use nt::spin::{KeAcquireSpinLock, KeReleaseSpinLock};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let (mut lock, mut other) = (0, 0);
        let outer = KeAcquireSpinLock(&mut lock);
        let again = if BROKEN { &mut lock } else { &mut other };
        let inner = KeAcquireSpinLock(again);
        KeReleaseSpinLock(again, inner);
        KeReleaseSpinLock(&mut lock, outer);
        done(irp)
    }
}
