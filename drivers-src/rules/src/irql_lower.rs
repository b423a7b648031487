//! `irql-lower`. "Lowers" from PASSIVE_LEVEL to DISPATCH_LEVEL.

use nt::irql::exported::{KeLowerIrql, KfRaiseIrql};
use nt::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        if !BROKEN {
            KfRaiseIrql(DISPATCH_LEVEL);
        }
        KeLowerIrql(DISPATCH_LEVEL);
        KeLowerIrql(PASSIVE_LEVEL);
        done(irp)
    }
}
