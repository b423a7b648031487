//! `pool.fail`: there is no memory, and the driver uses it all the same. The correct one says so.

#[cfg(not(feature = "buggy"))]
use nt::status::STATUS_INSUFFICIENT_RESOURCES;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"pool.fail", begin);

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = tools::page();
        #[cfg(not(feature = "buggy"))]
        if block.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        block.write_volatile(1);
        tools::free(block);
    }
    STATUS_SUCCESS
}
