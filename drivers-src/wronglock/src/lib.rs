//! **wronglock.sys**: every thread counts with the counter locked, but not by the same lock: the
//! first thread takes one, all others take another one, so that the first sees the counter move
//! while it has it "locked". The correct driver has one lock.
//!
//! Parameter: the number of other threads. After `wronglock_bad` of SCTBench.

#![cfg_attr(windows, no_std)]

use nt::types::NTSTATUS;
use shape::{Shape, Shared, SpinLock, Threads, fail};

struct Wronglock {
    lock_a: SpinLock,
    lock_b: SpinLock,
    value: Shared<i32>,
}

impl Wronglock {
    /// The lock that the others take.
    fn others_lock(&self) -> &SpinLock {
        if cfg!(feature = "buggy") {
            &self.lock_b
        } else {
            &self.lock_a
        }
    }
}

extern "system" fn first(state: &Wronglock) {
    let old = state.lock_a.acquire();
    let x = state.value.read();
    state.value.write(state.value.read() + 1);
    let value = state.value.read();
    if value != x + 1 {
        fail(1, [value, x + 1, 0]);
    }
    state.lock_a.release(old);
}

extern "system" fn other(state: &Wronglock) {
    let old = state.others_lock().acquire();
    state.value.write(state.value.read() + 1);
    state.others_lock().release(old);
}

impl Shape<1> for Wronglock {
    fn new() -> Self {
        Wronglock {
            lock_a: SpinLock::free(),
            lock_b: SpinLock::free(),
            value: Shared::new(0),
        }
    }

    fn run(&self, [n]: [u32; 1]) -> NTSTATUS {
        let mut threads = Threads::new();
        threads.start(first, self);
        for _ in 0..n {
            threads.start(other, self);
        }
        threads.join()
    }
}

shape::driver_entry!(Wronglock, 1, "\\Device\\Wronglock");
