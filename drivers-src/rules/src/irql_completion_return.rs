//! `irql-completion-return`. A completion routine leaves the IRQL raised.

use nt::irql::{DISPATCH_LEVEL, KeRaiseIrql};
use nt::status::STATUS_MORE_PROCESSING_REQUIRED;
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS, c_void};

use crate::act::{BROKEN, done, send};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        send(device, completed);
        done(irp)
    }
}

unsafe extern "system" fn completed(
    _: *mut DEVICE_OBJECT,
    _: *mut IRP,
    _: *mut c_void,
) -> NTSTATUS {
    if BROKEN {
        unsafe { KeRaiseIrql(DISPATCH_LEVEL) };
    }
    STATUS_MORE_PROCESSING_REQUIRED
}
