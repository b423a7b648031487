//! `irp-call-type`. Sends something that is no IRP.

use nt::ex::{allocate_zeroed, free};
use nt::io::IofCallDriver;
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, TAG, done, keep, send};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        if BROKEN {
            let block = allocate_zeroed::<IRP>(TAG);
            IofCallDriver(device.cast_mut(), block);
            free(block);
        }
        send(device, keep);
        done(irp)
    }
}
