//! `irp-free-type`. Frees something as an IRP that is none.

use nt::ex::allocate_zeroed;
use nt::io::{IoAllocateIrp, IoFreeIrp};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = match BROKEN {
            true => allocate_zeroed::<IRP>(TAG),
            false => IoAllocateIrp(1, 0),
        };
        IoFreeIrp(block);
        done(irp)
    }
}
