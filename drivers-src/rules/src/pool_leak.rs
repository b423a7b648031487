//! `pool-leak`. The unload routine forgets a block.

use core::ptr::null_mut;

use nt::ex::{ExAllocatePoolWithTag, ExFreePool, NonPagedPool};
use nt::global::Global;
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS, c_void};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        *BLOCK.get() = ExAllocatePoolWithTag(NonPagedPool, 64, TAG);
        done(irp)
    }
}

static BLOCK: Global<*mut c_void> = Global::new(null_mut());

/// Called when the driver is unloaded.
pub(crate) unsafe fn unload() {
    unsafe {
        let block = BLOCK.get().read();
        if !block.is_null() && !BROKEN {
            ExFreePool(block);
        }
    }
}
