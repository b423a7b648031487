//! What several cases need.

use nt::ex::{ExAllocatePoolWithTag, ExFreePool, NonPagedPool, PagedPool};
use nt::ke::KeDelayExecutionThread;
use nt::types::*;

/// The tag of all memory of this driver.
pub const TAG: u32 = tag(b"Flts");
/// A block of this size has pages of its own, which go with it.
pub const PAGE: usize = 0x4000;

/// A block of nonpaged pool with pages of its own; null if there is none.
pub unsafe fn page() -> *mut u8 {
    unsafe { ExAllocatePoolWithTag(NonPagedPool, PAGE, TAG).cast() }
}

/// A block of paged pool, which may be asked for below DISPATCH_LEVEL only; null if there is none.
pub unsafe fn paged() -> *mut u8 {
    unsafe { ExAllocatePoolWithTag(PagedPool, PAGE, TAG).cast() }
}

/// Frees a block, if it is one.
pub unsafe fn free(block: *mut u8) {
    if !block.is_null() {
        unsafe { ExFreePool(block.cast()) };
    }
}

/// Milliseconds in 100 ns, from now on.
pub const fn after_ms(ms: i64) -> i64 {
    -ms * 10_000
}

/// Waits for so many milliseconds. IRQL PASSIVE.
pub unsafe fn sleep(ms: i64) {
    let interval = after_ms(ms);
    unsafe { KeDelayExecutionThread(KernelMode, 0, &interval) };
}
