//! **reserve.sys**: one thread sends, with a block of memory of its own. Where there is none it takes
//! one from a reserve, which another thread refills, under their lock. The driver with the defect
//! releases the lock first, as it does where it has a block: the error path was written as if
//! nothing more were shared on it.
//!
//! It takes two unlucky things at once to see it: an allocation that fails, and another thread that
//! comes between the load and the store.

#![cfg_attr(windows, no_std)]

use nt::ex::{allocate_bytes, free};
use nt::types::NTSTATUS;
use shape::{Shape, Shared, SpinLock, Threads, fail};

/// Bytes of a block.
const BLOCK: usize = 0x40;
/// Tag of the blocks: `Rsrv`.
const TAG: u32 = u32::from_le_bytes(*b"Rsrv");

struct Reserve {
    lock: SpinLock,
    /// Blocks of the reserve that were taken.
    taken: Shared<i32>,
}

/// Sends once, with a block of its own if there is one.
extern "system" fn send(state: &Reserve) {
    let old = state.lock.acquire();
    let block = unsafe { allocate_bytes(BLOCK, TAG) };
    if !block.is_null() {
        state.lock.release(old);
        unsafe { free(block) };
        return;
    }
    #[cfg(feature = "buggy")]
    state.lock.release(old);
    let x = state.taken.read();
    state.taken.write(x + 1);
    let seen = state.taken.read();
    if seen != x + 1 {
        fail(1, [seen, x + 1, 0]);
    }
    #[cfg(not(feature = "buggy"))]
    state.lock.release(old);
}

/// Gives what was taken back.
extern "system" fn refill(state: &Reserve) {
    let old = state.lock.acquire();
    state.taken.write(-1);
    state.lock.release(old);
}

impl Shape<0> for Reserve {
    fn new() -> Self {
        Reserve {
            lock: SpinLock::free(),
            taken: Shared::new(0),
        }
    }

    fn run(&self, []: [u32; 0]) -> NTSTATUS {
        let mut threads = Threads::new();
        threads.start(send, self);
        threads.start(refill, self);
        threads.join()
    }
}

shape::driver_entry!(Reserve, 0, "\\Device\\Reserve");
