//! `irql-return`. The routine of a thread of its own leaves the IRQL raised.

use core::ptr::null_mut;

use nt::irql::{DISPATCH_LEVEL, KeRaiseIrql};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS, c_void};

use crate::act::{BROKEN, done, in_thread};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        in_thread(routine, null_mut());
        done(irp)
    }
}

unsafe extern "system" fn routine(_: *mut c_void) {
    if BROKEN {
        unsafe { KeRaiseIrql(DISPATCH_LEVEL) };
    }
}
