//! `pool-overrun`. Writes a byte too many.

use nt::ex::{ExAllocatePoolWithTag, ExFreePool, NonPagedPool};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        const SIZE: usize = 13;
        let block = ExAllocatePoolWithTag(NonPagedPool, SIZE, TAG);
        let bytes = if BROKEN { SIZE + 1 } else { SIZE };
        for i in 0..bytes {
            block.cast::<u8>().add(i).write_volatile(0x55);
        }
        ExFreePool(block);
        done(irp)
    }
}
