//! `memory.page_out`: paged memory is used at DISPATCH_LEVEL, and it is in memory nearly always. The
//! correct driver takes what it needs of it before it raises the IRQL.

use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"memory.page_out", begin);

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let (from, to) = (tools::paged(), tools::page());
        if from.is_null() || to.is_null() {
            tools::free(from);
            tools::free(to);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        from.write_volatile(1);
        #[cfg(not(feature = "buggy"))]
        let value = from.read_volatile();
        let old = KeRaiseIrql(DISPATCH_LEVEL);
        #[cfg(feature = "buggy")]
        let value = from.read_volatile();
        to.write_volatile(value);
        KeLowerIrql(old);
        tools::free(from);
        tools::free(to);
    }
    STATUS_SUCCESS
}
