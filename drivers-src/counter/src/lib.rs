//! **counter.sys**: two threads count, one each, and once both have ended the count must be two.
//! `count += 1` is one instruction on x86 and x64, `inc` or `add` with a memory operand, and still
//! it is not atomic: without LOCK the processor loads, and stores later, and what another processor
//! stores in between is lost (Intel SDM vol. 3, 9.1). On ARM64 it is a load, an addition and a store
//! to begin with. The correct driver counts by `InterlockedIncrement`.
//!
//! One processor alone does not lose a count on x86 and x64: interrupts, and so other threads, come
//! between instructions and not within one.

#![cfg_attr(windows, no_std)]

use nt::types::NTSTATUS;
use shape::{Shape, Shared, Threads, fail};

struct Counter {
    count: Shared<i32>,
}

extern "system" fn count(counter: &Counter) {
    if cfg!(feature = "buggy") {
        counter.count.add_one();
    } else {
        counter.count.increment();
    }
}

impl Shape<0> for Counter {
    fn new() -> Self {
        Counter {
            count: Shared::new(0),
        }
    }

    fn run(&self, []: [u32; 0]) -> NTSTATUS {
        let mut threads = Threads::new();
        threads.start(count, self);
        threads.start(count, self);
        let status = threads.join();
        let count = self.count.read();
        if nt::status::NT_SUCCESS(status) && count != 2 {
            fail(1, [count, 2, 0]);
        }
        status
    }
}

shape::driver_entry!(Counter, 0, "\\Device\\Counter");
