//! Executive spin locks.
//!
//! The DDK's names are macros over other exports on each architecture; here they are inline
//! functions over the same exports. A lock is a pointer-sized word in nonpaged memory, 0 when free.

use crate::types::{KIRQL, KSPIN_LOCK};

import! { "ntoskrnl.exe" "system"
    /// Sets a lock free.
    fn KeInitializeSpinLock(SpinLock: *mut KSPIN_LOCK);
}

#[cfg(target_arch = "x86")]
mod imp {
    use crate::types::{KIRQL, KSPIN_LOCK};

    import! { "hal.dll" "fastcall"
        /// Raises to DISPATCH and takes the lock; gives the old IRQL.
        fn KfAcquireSpinLock(SpinLock: *mut KSPIN_LOCK) -> KIRQL;
        /// Releases the lock and lowers to the IRQL given.
        fn KfReleaseSpinLock(SpinLock: *mut KSPIN_LOCK, NewIrql: KIRQL);
    }
    import! { "ntoskrnl.exe" "fastcall"
        /// Takes the lock; the caller is at DISPATCH.
        fn KefAcquireSpinLockAtDpcLevel(SpinLock: *mut KSPIN_LOCK);
        /// Releases the lock; the caller stays at DISPATCH.
        fn KefReleaseSpinLockFromDpcLevel(SpinLock: *mut KSPIN_LOCK);
    }

    pub use KefAcquireSpinLockAtDpcLevel as acquire_at_dpc;
    pub use KefReleaseSpinLockFromDpcLevel as release_from_dpc;
    pub use KfAcquireSpinLock as acquire;
    pub use KfReleaseSpinLock as release;
}

#[cfg(not(target_arch = "x86"))]
mod imp {
    use crate::types::{KIRQL, KSPIN_LOCK};

    import! { "ntoskrnl.exe" "system"
        /// Raises to DISPATCH and takes the lock; gives the old IRQL.
        fn KeAcquireSpinLockRaiseToDpc(SpinLock: *mut KSPIN_LOCK) -> KIRQL;
        /// Releases the lock and lowers to the IRQL given.
        fn KeReleaseSpinLock(SpinLock: *mut KSPIN_LOCK, NewIrql: KIRQL);
        /// Takes the lock; the caller is at DISPATCH.
        fn KeAcquireSpinLockAtDpcLevel(SpinLock: *mut KSPIN_LOCK);
        /// Releases the lock; the caller stays at DISPATCH.
        fn KeReleaseSpinLockFromDpcLevel(SpinLock: *mut KSPIN_LOCK);
    }

    pub use KeAcquireSpinLockAtDpcLevel as acquire_at_dpc;
    pub use KeAcquireSpinLockRaiseToDpc as acquire;
    pub use KeReleaseSpinLock as release;
    pub use KeReleaseSpinLockFromDpcLevel as release_from_dpc;
}

/// Raises to `DISPATCH_LEVEL` and takes the lock; gives the old IRQL. IRQL <= DISPATCH.
#[inline(always)]
pub unsafe fn KeAcquireSpinLock(lock: *mut KSPIN_LOCK) -> KIRQL {
    unsafe { imp::acquire(lock) }
}

/// Releases the lock and lowers to what [`KeAcquireSpinLock`] gave.
#[inline(always)]
pub unsafe fn KeReleaseSpinLock(lock: *mut KSPIN_LOCK, old: KIRQL) {
    unsafe { imp::release(lock, old) }
}

/// Takes the lock; the caller is at `DISPATCH_LEVEL` already.
#[inline(always)]
pub unsafe fn KeAcquireSpinLockAtDpcLevel(lock: *mut KSPIN_LOCK) {
    unsafe { imp::acquire_at_dpc(lock) }
}

/// Releases the lock and stays at `DISPATCH_LEVEL`.
#[inline(always)]
pub unsafe fn KeReleaseSpinLockFromDpcLevel(lock: *mut KSPIN_LOCK) {
    unsafe { imp::release_from_dpc(lock) }
}
