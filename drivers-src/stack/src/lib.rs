//! **stack.sys**: a pusher and a popper share a stack under one lock, and a flag that says that there
//! is something on it. The pusher sets the flag and nobody clears it, so the popper that has taken
//! all there was takes once more. The correct popper clears the flag with the last item.
//!
//! Parameter: how often each of the two tries. It does not change during a run; each thread loads it
//! once, first of all. After `stack_bad` of SCTBench.

#![cfg_attr(windows, no_std)]

use nt::types::NTSTATUS;
use shape::{Shape, Shared, SpinLock, Threads, fail};

struct Stack {
    lock: SpinLock,
    top: Shared<u32>,
    flag: Shared<u32>,
    rounds: Shared<u32>,
}

extern "system" fn pusher(stack: &Stack) {
    for _ in 0..stack.rounds.read() {
        let old = stack.lock.acquire();
        stack.top.write(stack.top.read() + 1);
        stack.flag.write(1);
        stack.lock.release(old);
    }
}

extern "system" fn popper(stack: &Stack) {
    for _ in 0..stack.rounds.read() {
        let old = stack.lock.acquire();
        if stack.flag.read() != 0 {
            if stack.top.read() == 0 {
                fail(1, [0, 1, 0]);
            }
            let top = stack.top.read() - 1;
            stack.top.write(top);
            #[cfg(not(feature = "buggy"))]
            if top == 0 {
                stack.flag.write(0);
            }
        }
        stack.lock.release(old);
    }
}

impl Shape<1> for Stack {
    fn new() -> Self {
        Stack {
            lock: SpinLock::free(),
            top: Shared::new(0),
            flag: Shared::new(0),
            rounds: Shared::new(0),
        }
    }

    fn run(&self, [n]: [u32; 1]) -> NTSTATUS {
        self.rounds.write(n);
        let mut threads = Threads::new();
        threads.start(pusher, self);
        threads.start(popper, self);
        threads.join()
    }
}

shape::driver_entry!(Stack, 1, "\\Device\\Stack");
