//! `time-lock`. Works for far too long with a lock.

use nt::spin::{KeAcquireSpinLock, KeReleaseSpinLock};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done, spend};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut lock = 0;
        let old = KeAcquireSpinLock(&mut lock);
        spend(if BROKEN { 100_000 } else { 100 });
        KeReleaseSpinLock(&mut lock, old);
        done(irp)
    }
}
