//! `pool-tag`. Frees a block with another tag.

use nt::ex::{ExAllocatePoolWithTag, ExFreePoolWithTag, NonPagedPool};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS, tag};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = ExAllocatePoolWithTag(NonPagedPool, 64, TAG);
        ExFreePoolWithTag(block, if BROKEN { tag(b"Othr") } else { TAG });
        done(irp)
    }
}
