//! `irql-wait`. Waits at DISPATCH_LEVEL for an event that is signalled, with a time-out that is not zero.

use core::mem::zeroed;

use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::ke::{Executive, KeInitializeEvent, KeWaitForSingleObject, NotificationEvent};
use nt::types::{DEVICE_OBJECT, IRP, KEVENT, KernelMode, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut event: KEVENT = zeroed();
        KeInitializeEvent(&mut event, NotificationEvent, 1);
        let timeout = if BROKEN { -10_000 } else { 0 };
        let old = KeRaiseIrql(DISPATCH_LEVEL);
        KeWaitForSingleObject((&raw mut event).cast(), Executive, KernelMode, 0, &timeout);
        KeLowerIrql(old);
        done(irp)
    }
}
