//! `pool-zero`. Asks for no bytes.

use nt::ex::{ExAllocatePoolWithTag, ExFreePool, NonPagedPool};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let bytes = if BROKEN { 0 } else { 8 };
        let block = ExAllocatePoolWithTag(NonPagedPool, bytes, TAG);
        ExFreePool(block);
        done(irp)
    }
}
