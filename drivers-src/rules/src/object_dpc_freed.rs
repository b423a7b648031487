//! `object-dpc-freed`. Frees a block with a DPC in it that is queued.

use core::ptr::null_mut;

use nt::ex::{allocate_zeroed, free};
use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::ke::{KeInitializeDpc, KeInsertQueueDpc, KeRemoveQueueDpc};
use nt::types::{DEVICE_OBJECT, IRP, KDPC, NTSTATUS, c_void};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let dpc = allocate_zeroed::<KDPC>(TAG);
        KeInitializeDpc(dpc, routine, null_mut());
        // At this level the queue waits.
        let old = KeRaiseIrql(DISPATCH_LEVEL);
        KeInsertQueueDpc(dpc, null_mut(), null_mut());
        if !BROKEN {
            KeRemoveQueueDpc(dpc);
        }
        free(dpc);
        KeLowerIrql(old);
        done(irp)
    }
}

unsafe extern "system" fn routine(_: *mut KDPC, _: *mut c_void, _: *mut c_void, _: *mut c_void) {}
