//! `io.unload`: a timer is still set when the driver is unloaded. The correct driver cancels it.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use nt::ke::*;
use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"io.unload", begin);

/// In a block, which stays where it is when the driver goes.
static TIMER: AtomicPtr<(KTIMER, KDPC)> = AtomicPtr::new(null_mut());

unsafe extern "system" fn expired(_: *mut KDPC, _: *mut c_void, _: *mut c_void, _: *mut c_void) {}

/// The part of this case in the driver's unload routine.
pub unsafe fn unload() {
    #[cfg(not(feature = "buggy"))]
    unsafe {
        let block = TIMER.swap(null_mut(), AcqRel);
        if !block.is_null() {
            KeCancelTimer(&raw mut (*block).0);
            tools::free(block.cast());
        }
    }
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = tools::page().cast::<(KTIMER, KDPC)>();
        if block.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        let (timer, dpc) = (&raw mut (*block).0, &raw mut (*block).1);
        KeInitializeTimer(timer);
        KeInitializeDpc(dpc, expired, null_mut());
        TIMER.store(block, Release);
        KeSetTimer(timer, tools::after_ms(20), dpc);
    }
    STATUS_SUCCESS
}
