//! `irp-call-device`. Sends an IRP to something that is no device.

use nt::ex::{allocate_zeroed, free};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, TAG, done, keep, send};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = allocate_zeroed::<DEVICE_OBJECT>(TAG);
        send(if BROKEN { block } else { device }, keep);
        free(block);
        done(irp)
    }
}
