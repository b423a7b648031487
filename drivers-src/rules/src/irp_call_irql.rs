//! `irp-call-irql`. Sends an IRP at the level of a device.

use nt::irql::DISPATCH_LEVEL;
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, DEVICE_LEVEL, done, send_at};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let level = if BROKEN { DEVICE_LEVEL } else { DISPATCH_LEVEL };
        send_at(level, device);
        done(irp)
    }
}
