//! Executive: pool, work items.

use crate::types::*;

/// Nonpaged pool, the `POOL_TYPE` of all memory touched at `DISPATCH_LEVEL`.
pub const NonPagedPool: i32 = 0;
/// Paged pool.
pub const PagedPool: i32 = 1;

import! { "ntoskrnl.exe" "system"
    /// Allocates `NumberOfBytes` from a pool; null if there is none left. IRQL <= DISPATCH
    /// (nonpaged), <= APC (paged).
    fn ExAllocatePoolWithTag(PoolType: i32, NumberOfBytes: usize, Tag: u32) -> *mut c_void;
    /// Frees a block of either pool.
    fn ExFreePool(P: *mut c_void);
    /// Queues an item to a system worker thread. IRQL <= DISPATCH.
    fn ExQueueWorkItem(WorkItem: *mut WORK_QUEUE_ITEM, QueueType: i32);
}

/// An item for a system worker thread. Set it up with [`WORK_QUEUE_ITEM::new`].
#[repr(C)]
pub struct WORK_QUEUE_ITEM {
    /// Link in the worker's queue.
    pub List: LIST_ENTRY,
    /// Runs at `PASSIVE_LEVEL` on a system worker thread.
    pub WorkerRoutine: Option<KSTART_ROUTINE>,
    /// Handed to the routine.
    pub Parameter: *mut c_void,
}

impl WORK_QUEUE_ITEM {
    /// `ExInitializeWorkItem`.
    pub const fn new(routine: KSTART_ROUTINE, parameter: *mut c_void) -> Self {
        WORK_QUEUE_ITEM {
            List: crate::list::UNLINKED,
            WorkerRoutine: Some(routine),
            Parameter: parameter,
        }
    }
}

/// `DelayedWorkQueue`, the ordinary queue of [`ExQueueWorkItem`].
pub const DelayedWorkQueue: i32 = 1;

/// Allocates a zeroed `T` from nonpaged pool; null if there is none left.
pub unsafe fn allocate_zeroed<T>(tag: u32) -> *mut T {
    unsafe {
        let block = ExAllocatePoolWithTag(NonPagedPool, size_of::<T>(), tag).cast::<T>();
        if !block.is_null() {
            block.write_bytes(0, 1);
        }
        block
    }
}

/// Allocates `bytes` bytes from nonpaged pool, not zeroed; null if there are none left.
pub unsafe fn allocate_bytes(bytes: usize, tag: u32) -> *mut u8 {
    unsafe { ExAllocatePoolWithTag(NonPagedPool, bytes, tag).cast() }
}

/// Frees what one of the `allocate` functions gave.
pub unsafe fn free<T>(block: *mut T) {
    unsafe { ExFreePool(block.cast()) }
}

import! { "ntoskrnl.exe" "system"
    /// Frees a block that was allocated with this tag.
    fn ExFreePoolWithTag(P: *mut c_void, Tag: u32);
}
