//! `time-dpc`. A DPC works for far too long.

use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done, in_dpc, spend};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        in_dpc(work);
        done(irp)
    }
}

unsafe fn work() {
    spend(if BROKEN { 100_000 } else { 100 });
}
