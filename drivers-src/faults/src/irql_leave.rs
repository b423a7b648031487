//! `irql.leave`: another driver's callback comes back at DISPATCH_LEVEL, and its caller goes on to
//! ask for paged memory. The correct one goes back to the IRQL that it had.

#[cfg(not(feature = "buggy"))]
use nt::irql::{KeGetCurrentIrql, KeLowerIrql};
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"irql.leave", begin);

/// The other driver's.
#[inline(never)]
unsafe extern "system" fn notify() {
    unsafe { tools::free(tools::page()) };
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        #[cfg(not(feature = "buggy"))]
        let before = KeGetCurrentIrql();
        notify();
        #[cfg(not(feature = "buggy"))]
        if KeGetCurrentIrql() > before {
            KeLowerIrql(before);
        }
        tools::free(tools::paged());
    }
    STATUS_SUCCESS
}
