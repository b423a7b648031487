//! `lock-order`. Takes two locks in one order and then in the other: with another processor between
//! the two, each would wait for the other for ever.

use nt::global::Global;
use nt::spin::{KeAcquireSpinLock, KeInitializeSpinLock, KeReleaseSpinLock};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

static LOCKS: Global<[usize; 2]> = Global::new([0; 2]);

/// Takes both locks, the one of this number first.
unsafe fn take(first: usize) {
    unsafe {
        let locks = LOCKS.get().cast::<usize>();
        let (one, two) = (locks.add(first), locks.add(1 - first));
        let outer = KeAcquireSpinLock(one);
        let inner = KeAcquireSpinLock(two);
        KeReleaseSpinLock(two, inner);
        KeReleaseSpinLock(one, outer);
    }
}

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let locks = LOCKS.get().cast::<usize>();
        KeInitializeSpinLock(locks);
        KeInitializeSpinLock(locks.add(1));
        take(0);
        take(usize::from(BROKEN));
        done(irp)
    }
}
