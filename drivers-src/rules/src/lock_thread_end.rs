//! `lock-thread-end`. A thread ends with a mutex.

use core::mem::zeroed;

use nt::ke::{KMUTANT, KeInitializeMutex, KeReleaseMutex, wait};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS, c_void};

use crate::act::{BROKEN, done, in_thread};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut mutex: KMUTANT = zeroed();
        KeInitializeMutex(&mut mutex, 0);
        in_thread(routine, (&raw mut mutex).cast());
        done(irp)
    }
}

unsafe extern "system" fn routine(mutex: *mut c_void) {
    unsafe {
        wait(mutex.cast());
        if !BROKEN {
            KeReleaseMutex(mutex.cast(), 0);
        }
    }
}
