//! **twostage.sys**: writers set two fields that belong together in two stages, each stage under a
//! lock of its own; a reader that comes between the stages of the only writer so far sees the new
//! first field and the old second one. The correct driver makes both stages one region of the first
//! lock.
//!
//! Parameter: the number of threads, all but one of which are writers. After `twostage_bad` of
//! SCTBench.

#![cfg_attr(windows, no_std)]

use nt::types::NTSTATUS;
use shape::{Shape, Shared, SpinLock, Threads, fail};

struct Twostage {
    lock1: SpinLock,
    lock2: SpinLock,
    data1: Shared<i32>,
    data2: Shared<i32>,
}

extern "system" fn writer(state: &Twostage) {
    let old1 = state.lock1.acquire();
    state.data1.write(1);
    #[cfg(feature = "buggy")]
    state.lock1.release(old1);
    let old2 = state.lock2.acquire();
    state.data2.write(state.data1.read() + 1);
    state.lock2.release(old2);
    #[cfg(not(feature = "buggy"))]
    state.lock1.release(old1);
}

extern "system" fn reader(state: &Twostage) {
    let old1 = state.lock1.acquire();
    if state.data1.read() == 0 {
        state.lock1.release(old1);
        return;
    }
    let t = state.data1.read();
    state.lock1.release(old1);
    let old2 = state.lock2.acquire();
    let u = state.data2.read();
    state.lock2.release(old2);
    if u != t + 1 {
        fail(1, [u, t + 1, 0]);
    }
}

impl Shape<1> for Twostage {
    fn new() -> Self {
        Twostage {
            lock1: SpinLock::free(),
            lock2: SpinLock::free(),
            data1: Shared::new(0),
            data2: Shared::new(0),
        }
    }

    fn run(&self, [n]: [u32; 1]) -> NTSTATUS {
        let mut threads = Threads::new();
        for _ in 1..n {
            threads.start(writer, self);
        }
        threads.start(reader, self);
        threads.join()
    }
}

shape::driver_entry!(Twostage, 1, "\\Device\\Twostage");
