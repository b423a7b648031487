//! The services on the machine that builds the driver, for tests: real locks, memory that is
//! counted and poisoned when freed, and a clock that stands still until it is set.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// A host thread has no such level.
#[derive(Clone, Copy)]
pub struct Irql;

pub fn raise_to_dispatch() -> Irql {
    Irql
}

pub fn lower(_: Irql) {}

pub struct LockWord(AtomicBool);

impl LockWord {
    pub const fn free() -> LockWord {
        LockWord(AtomicBool::new(false))
    }

    pub fn acquire(&self) {
        while self.0.swap(true, Ordering::Acquire) {
            std::thread::yield_now();
        }
    }

    pub fn release(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// In front of every block: its size.
const HEADER: usize = 16;

thread_local! {
    static BLOCKS: Cell<isize> = const { Cell::new(0) };
    static FAIL: Cell<bool> = const { Cell::new(false) };
    static TICKS: Cell<u32> = const { Cell::new(0) };
}

/// A block that is not cleared, or null if the test asked for that.
pub fn allocate(bytes: usize, _tag: &[u8; 4]) -> *mut u8 {
    if FAIL.replace(false) {
        return std::ptr::null_mut();
    }
    let layout = Layout::from_size_align(bytes + HEADER, HEADER).expect("a size that fits");
    unsafe {
        let block = alloc(layout);
        assert!(!block.is_null(), "the host is out of memory");
        block.cast::<usize>().write(bytes);
        block.add(HEADER).write_bytes(0xAA, bytes);
        BLOCKS.set(BLOCKS.get() + 1);
        block.add(HEADER)
    }
}

/// Frees a block.
///
/// # Safety
/// The block is allocated and nobody uses it any more.
pub unsafe fn free(block: *mut u8) {
    unsafe {
        let start = block.sub(HEADER);
        let bytes = start.cast::<usize>().read();
        block.write_bytes(0xDD, bytes);
        let layout = Layout::from_size_align_unchecked(bytes + HEADER, HEADER);
        dealloc(start, layout);
    }
    BLOCKS.set(BLOCKS.get() - 1);
}

/// The tick that the test has set.
pub fn ticks() -> u32 {
    TICKS.get()
}

/// As a real machine's, about.
pub fn ticks_per_second() -> u32 {
    64
}

/// Blocks allocated minus blocks freed by this thread.
#[cfg(test)]
pub fn blocks_in_use() -> isize {
    BLOCKS.get()
}

/// Makes the next allocation of this thread fail.
#[cfg(test)]
pub fn fail_next_allocation() {
    FAIL.set(true);
}

/// Sets the clock of this thread.
#[cfg(test)]
pub fn set_ticks(ticks: u32) {
    TICKS.set(ticks);
}
