//! `pool-double-free`. Frees a block twice.

use nt::ex::{ExAllocatePoolWithTag, ExFreePool, NonPagedPool};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = ExAllocatePoolWithTag(NonPagedPool, 64, TAG);
        ExFreePool(block);
        if BROKEN {
            ExFreePool(block);
        }
        done(irp)
    }
}
