//! **deadlock.sys**: two threads need two locks, and take them in two orders. When each has its first
//! lock, neither gets its second one. The correct driver has one order.
//!
//! After `deadlock01_bad` of SCTBench.

#![cfg_attr(windows, no_std)]

use nt::types::NTSTATUS;
use shape::{Shape, Shared, SpinLock, Threads};

struct Deadlock {
    lock_a: SpinLock,
    lock_b: SpinLock,
    counter: Shared<i32>,
}

extern "system" fn up(state: &Deadlock) {
    let old_a = state.lock_a.acquire();
    let old_b = state.lock_b.acquire();
    state.counter.write(state.counter.read() + 1);
    state.lock_b.release(old_b);
    state.lock_a.release(old_a);
}

extern "system" fn down(state: &Deadlock) {
    let (first, second) = if cfg!(feature = "buggy") {
        (&state.lock_b, &state.lock_a)
    } else {
        (&state.lock_a, &state.lock_b)
    };
    let old_first = first.acquire();
    let old_second = second.acquire();
    state.counter.write(state.counter.read() - 1);
    second.release(old_second);
    first.release(old_first);
}

impl Shape<0> for Deadlock {
    fn new() -> Self {
        Deadlock {
            lock_a: SpinLock::free(),
            lock_b: SpinLock::free(),
            counter: Shared::new(0),
        }
    }

    fn run(&self, []: [u32; 0]) -> NTSTATUS {
        let mut threads = Threads::new();
        threads.start(up, self);
        threads.start(down, self);
        threads.join()
    }
}

shape::driver_entry!(Deadlock, 0, "\\Device\\Deadlock");
