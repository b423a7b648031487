//! **reorder.sys**: setters publish two fields one after the other, without a lock; a checker that
//! comes when some setter has stored the first and none has stored the second sees a state that
//! nobody meant. The more setters there are, the more of them must stand in that window. The correct
//! driver has a lock around both stores and around the check.
//!
//! Parameters: the number of setters, the number of checkers. After `reorder_N_bad` of SCTBench.

#![cfg_attr(windows, no_std)]

use nt::types::NTSTATUS;
use shape::{Shape, Shared, Threads, fail};

struct Reorder {
    #[cfg(not(feature = "buggy"))]
    lock: shape::SpinLock,
    a: Shared<i32>,
    b: Shared<i32>,
}

extern "system" fn setter(state: &Reorder) {
    #[cfg(not(feature = "buggy"))]
    let old = state.lock.acquire();
    state.a.write(1);
    state.b.write(-1);
    #[cfg(not(feature = "buggy"))]
    state.lock.release(old);
}

extern "system" fn checker(state: &Reorder) {
    #[cfg(not(feature = "buggy"))]
    let old = state.lock.acquire();
    check(state);
    #[cfg(not(feature = "buggy"))]
    state.lock.release(old);
}

/// Stops the system unless `(a == 0 && b == 0) || (a == 1 && b == -1)`, evaluated as in C: two to
/// four loads.
#[inline(always)]
fn check(state: &Reorder) {
    if state.a.read() == 0 && state.b.read() == 0 {
        return;
    }
    let a = state.a.read();
    let b = if a == 1 { state.b.read() } else { 0 };
    if b != -1 {
        fail(1, [a, b, 0]);
    }
}

impl Shape<2> for Reorder {
    fn new() -> Self {
        Reorder {
            #[cfg(not(feature = "buggy"))]
            lock: shape::SpinLock::free(),
            a: Shared::new(0),
            b: Shared::new(0),
        }
    }

    fn run(&self, [setters, checkers]: [u32; 2]) -> NTSTATUS {
        let mut threads = Threads::new();
        for _ in 0..setters {
            threads.start(setter, self);
        }
        for _ in 0..checkers {
            threads.start(checker, self);
        }
        threads.join()
    }
}

shape::driver_entry!(Reorder, 2, "\\Device\\Reorder");
