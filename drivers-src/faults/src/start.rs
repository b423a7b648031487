//! What the driver allocates when it starts: a table, and the names in it. Where there is no memory
//! for the names, the driver with the defect does not start and keeps the table.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use nt::ex::{ExAllocatePoolWithTag, PagedPool};
use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::tools;

static TABLE: AtomicPtr<u8> = AtomicPtr::new(null_mut());
static NAMES: AtomicPtr<u8> = AtomicPtr::new(null_mut());

/// Allocates both, or none.
pub unsafe fn allocate() -> NTSTATUS {
    unsafe {
        let table = ExAllocatePoolWithTag(PagedPool, 0x40, tools::TAG).cast::<u8>();
        if table.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        let names = ExAllocatePoolWithTag(PagedPool, 0x100, tools::TAG).cast::<u8>();
        if names.is_null() {
            #[cfg(not(feature = "buggy"))]
            tools::free(table);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        TABLE.store(table, Relaxed);
        NAMES.store(names, Relaxed);
    }
    STATUS_SUCCESS
}

/// Frees them.
pub unsafe fn free() {
    for block in [&NAMES, &TABLE] {
        unsafe { tools::free(block.swap(null_mut(), Relaxed)) };
    }
}
