//! `io.cancel`: a request waits for a timer and can be cancelled meanwhile. Both ends complete it.
//! In the correct driver the one that takes the cancel routine out of it does.

use core::mem::zeroed;
#[cfg(not(feature = "buggy"))]
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::AcqRel};

use nt::global::Global;
use nt::io::*;
use nt::ke::*;
use nt::status::{STATUS_CANCELLED, STATUS_PENDING, STATUS_SUCCESS};
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"io.cancel", begin);

static TIMER: Global<(KTIMER, KDPC)> = Global::new(unsafe { zeroed() });

/// `IoSetCancelRoutine`: gives what was there.
unsafe fn set_cancel_routine(irp: *mut IRP, routine: *mut c_void) -> *mut c_void {
    unsafe {
        let at = (&raw mut (*irp).CancelRoutine).cast::<AtomicPtr<c_void>>();
        (*at).swap(routine, AcqRel)
    }
}

unsafe extern "system" fn cancel(_: *mut DEVICE_OBJECT, irp: *mut IRP) {
    unsafe {
        IoReleaseCancelSpinLock((*irp).CancelIrql);
        complete(irp, STATUS_CANCELLED, 0);
    }
}

unsafe extern "system" fn expired(_: *mut KDPC, irp: *mut c_void, _: *mut c_void, _: *mut c_void) {
    unsafe {
        let irp = irp.cast::<IRP>();
        #[cfg(not(feature = "buggy"))]
        if set_cancel_routine(irp, null_mut()).is_null() {
            // It has been cancelled, or is being.
            return;
        }
        complete(irp, STATUS_SUCCESS, 0);
    }
}

unsafe fn begin(irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let (timer, dpc) = (&raw mut (*TIMER.get()).0, &raw mut (*TIMER.get()).1);
        IoMarkIrpPending(irp);
        KeInitializeTimer(timer);
        KeInitializeDpc(dpc, expired, irp.cast());
        set_cancel_routine(irp, cancel as *mut c_void);
        KeSetTimer(timer, tools::after_ms(10), dpc);
    }
    STATUS_PENDING
}
