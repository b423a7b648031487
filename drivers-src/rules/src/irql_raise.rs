//! `irql-raise`. "Raises" from DISPATCH_LEVEL to APC_LEVEL.

use nt::irql::exported::{KeLowerIrql, KfRaiseIrql};
use nt::irql::{APC_LEVEL, DISPATCH_LEVEL};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let old = KfRaiseIrql(DISPATCH_LEVEL);
        KfRaiseIrql(if BROKEN { APC_LEVEL } else { DISPATCH_LEVEL });
        KeLowerIrql(old);
        done(irp)
    }
}
