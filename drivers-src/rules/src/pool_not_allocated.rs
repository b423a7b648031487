//! `pool-not-allocated`. Frees an address inside of a block.

use nt::ex::{ExAllocatePoolWithTag, ExFreePool, NonPagedPool};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = ExAllocatePoolWithTag(NonPagedPool, 64, TAG);
        ExFreePool(if BROKEN { block.byte_add(16) } else { block });
        done(irp)
    }
}
