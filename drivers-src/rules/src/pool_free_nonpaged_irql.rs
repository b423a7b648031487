//! `pool-free-nonpaged-irql`. Frees nonpaged pool at the level of a device.

use nt::ex::{ExAllocatePoolWithTag, ExFreePool, NonPagedPool};
use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, DEVICE_LEVEL, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = ExAllocatePoolWithTag(NonPagedPool, 64, TAG);
        let old = KeRaiseIrql(if BROKEN { DEVICE_LEVEL } else { DISPATCH_LEVEL });
        ExFreePool(block);
        KeLowerIrql(old);
        done(irp)
    }
}
