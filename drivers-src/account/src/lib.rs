//! **account.sys**: one thread deposits, one withdraws, and one checks the balance once both are
//! done. Every access is under the one lock, and still the check fails whenever it comes last: what
//! it expects is not what deposit and withdrawal compute. The defect is in the oracle.
//!
//! After `account_bad` of SCTBench.

#![cfg_attr(windows, no_std)]

use nt::types::NTSTATUS;
use shape::{Shape, Shared, SpinLock, Threads, fail};

// The balance at the beginning, what is deposited, what is withdrawn.
const X: i32 = 1;
const Y: i32 = 2;
const Z: i32 = 4;

const EXPECTED: i32 = if cfg!(feature = "buggy") {
    (X - Y) - Z
} else {
    (X + Y) - Z
};

struct Account {
    lock: SpinLock,
    balance: Shared<i32>,
    deposited: Shared<u32>,
    withdrawn: Shared<u32>,
}

extern "system" fn check(account: &Account) {
    let old = account.lock.acquire();
    if account.deposited.read() != 0 && account.withdrawn.read() != 0 {
        let balance = account.balance.read();
        if balance != EXPECTED {
            fail(1, [balance, EXPECTED, 0]);
        }
    }
    account.lock.release(old);
}

extern "system" fn deposit(account: &Account) {
    let old = account.lock.acquire();
    account.balance.write(account.balance.read() + Y);
    account.deposited.write(1);
    account.lock.release(old);
}

extern "system" fn withdraw(account: &Account) {
    let old = account.lock.acquire();
    account.balance.write(account.balance.read() - Z);
    account.withdrawn.write(1);
    account.lock.release(old);
}

impl Shape<0> for Account {
    fn new() -> Self {
        Account {
            lock: SpinLock::free(),
            balance: Shared::new(X),
            deposited: Shared::new(0),
            withdrawn: Shared::new(0),
        }
    }

    fn run(&self, []: [u32; 0]) -> NTSTATUS {
        let mut threads = Threads::new();
        threads.start(check, self);
        threads.start(deposit, self);
        threads.start(withdraw, self);
        threads.join_at_once()
    }
}

shape::driver_entry!(Account, 0, "\\Device\\Account");
