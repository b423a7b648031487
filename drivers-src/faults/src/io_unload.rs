//! `io.unload`: a timer is still set when the driver is unloaded. The correct driver cancels it.

use core::mem::zeroed;
use core::ptr::null_mut;

use nt::global::Global;
use nt::ke::*;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"io.unload", begin);

static TIMER: Global<(KTIMER, KDPC)> = Global::new(unsafe { zeroed() });

unsafe extern "system" fn expired(_: *mut KDPC, _: *mut c_void, _: *mut c_void, _: *mut c_void) {}

/// The part of this case in the driver's unload routine.
pub unsafe fn unload() {
    #[cfg(not(feature = "buggy"))]
    unsafe {
        KeCancelTimer(&raw mut (*TIMER.get()).0);
    }
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let (timer, dpc) = (&raw mut (*TIMER.get()).0, &raw mut (*TIMER.get()).1);
        KeInitializeTimer(timer);
        KeInitializeDpc(dpc, expired, null_mut());
        KeSetTimer(timer, tools::after_ms(20), dpc);
    }
    STATUS_SUCCESS
}
