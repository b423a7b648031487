//! `pool.fill`: a block is used as if it came full of zeros, as it does from a fresh page. The
//! correct driver sets what it reads.

use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"pool.fill", begin);

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        // A count, and so many items behind it.
        let block = tools::page().cast::<u32>();
        if block.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        #[cfg(not(feature = "buggy"))]
        block.write_volatile(0);
        for item in 0..block.read_volatile() as usize {
            block.add(1 + item).read_volatile();
        }
        tools::free(block.cast());
    }
    STATUS_SUCCESS
}
