//! `object-timer-freed`. Frees a block with a timer in it that is set.

use core::ptr::null_mut;

use nt::ex::{allocate_zeroed, free};
use nt::ke::{KeCancelTimer, KeInitializeTimer, KeSetTimer};
use nt::types::{DEVICE_OBJECT, IRP, KTIMER, NTSTATUS};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let timer = allocate_zeroed::<KTIMER>(TAG);
        KeInitializeTimer(timer);
        KeSetTimer(timer, -100_000_000, null_mut());
        if !BROKEN {
            KeCancelTimer(timer);
        }
        free(timer);
        done(irp)
    }
}
