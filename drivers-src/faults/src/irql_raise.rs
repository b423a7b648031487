//! `irql.raise`: a callback is made at DISPATCH_LEVEL, as every caller of it may, and asks for paged
//! memory. The correct one looks at the IRQL first and does without.

#[cfg(not(feature = "buggy"))]
use nt::irql::{DISPATCH_LEVEL, KeGetCurrentIrql};
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"irql.raise", begin);

#[inline(never)]
unsafe extern "system" fn callback() {
    unsafe {
        #[cfg(not(feature = "buggy"))]
        if KeGetCurrentIrql() >= DISPATCH_LEVEL {
            return;
        }
        tools::free(tools::paged());
    }
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe { callback() };
    STATUS_SUCCESS
}
