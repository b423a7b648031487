//! `page-data`. Reads paged pool at DISPATCH_LEVEL.

use nt::ex::{ExAllocatePoolWithTag, ExFreePool, PagedPool};
use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql, PASSIVE_LEVEL};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = ExAllocatePoolWithTag(PagedPool, 64, TAG).cast::<u32>();
        block.write_volatile(1);
        let old = KeRaiseIrql(if BROKEN {
            DISPATCH_LEVEL
        } else {
            PASSIVE_LEVEL
        });
        block.read_volatile();
        KeLowerIrql(old);
        ExFreePool(block.cast());
        done(irp)
    }
}
