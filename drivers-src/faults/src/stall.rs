//! `time.stall`: a thread needs a moment with a block, and gets ten milliseconds. The correct driver
//! waits for the thread.

use nt::status::STATUS_INSUFFICIENT_RESOURCES;
use nt::types::*;
use shape::{Shared, Threads};

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"time.stall", begin);

static BLOCK: nt::global::Global<Shared<*mut u8>> =
    nt::global::Global::new(Shared::new(core::ptr::null_mut()));

#[inline(never)]
unsafe extern "system" fn look(block: *mut u8) -> u8 {
    unsafe { block.add(8).read_volatile() }
}

extern "system" fn worker(block: &Shared<*mut u8>) {
    let block = block.read();
    unsafe { look(block) };
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = tools::page();
        if block.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        let shared = &*BLOCK.get();
        shared.write(block);
        let mut threads = Threads::new();
        threads.start(worker, shared);
        tools::sleep(10);
        #[cfg(feature = "buggy")]
        tools::free(block);
        let status = threads.join();
        #[cfg(not(feature = "buggy"))]
        tools::free(block);
        status
    }
}
