//! `irql-set-event`. Sets an event at the level of a device.

use core::mem::zeroed;

use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::ke::{KeInitializeEvent, KeSetEvent, NotificationEvent};
use nt::types::{DEVICE_OBJECT, IRP, KEVENT, NTSTATUS};

use crate::act::{BROKEN, DEVICE_LEVEL, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut event: KEVENT = zeroed();
        KeInitializeEvent(&mut event, NotificationEvent, 0);
        let old = KeRaiseIrql(if BROKEN { DEVICE_LEVEL } else { DISPATCH_LEVEL });
        KeSetEvent(&mut event, 0, 0);
        KeLowerIrql(old);
        done(irp)
    }
}
