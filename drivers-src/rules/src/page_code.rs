//! `page-code`. Runs a routine of the PAGE section at DISPATCH_LEVEL.

use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql, PASSIVE_LEVEL};
use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let old = KeRaiseIrql(if BROKEN {
            DISPATCH_LEVEL
        } else {
            PASSIVE_LEVEL
        });
        pageable();
        KeLowerIrql(old);
        done(irp)
    }
}

#[inline(never)]
#[unsafe(link_section = "PAGE")]
fn pageable() {
    core::hint::black_box(0);
}
