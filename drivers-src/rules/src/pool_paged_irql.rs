//! `pool-paged-irql`. Asks for paged pool at DISPATCH_LEVEL.

use nt::ex::{ExAllocatePoolWithTag, ExFreePool, PagedPool};
use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql, PASSIVE_LEVEL};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let old = KeRaiseIrql(if BROKEN {
            DISPATCH_LEVEL
        } else {
            PASSIVE_LEVEL
        });
        let block = ExAllocatePoolWithTag(PagedPool, 64, TAG);
        KeLowerIrql(old);
        ExFreePool(block);
        done(irp)
    }
}
