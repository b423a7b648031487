//! `object-work-queued`. Queues a work item that is queued.

use core::mem::zeroed;

use nt::ex::{DelayedWorkQueue, ExQueueWorkItem, WORK_QUEUE_ITEM, allocate_zeroed, free};
use nt::ke::{KeInitializeEvent, KeSetEvent, SynchronizationEvent, wait};
use nt::types::{DEVICE_OBJECT, IRP, KEVENT, NTSTATUS, c_void};

use crate::act::{BROKEN, TAG, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut begun: KEVENT = zeroed();
        KeInitializeEvent(&mut begun, SynchronizationEvent, 0);
        let item = allocate_zeroed::<WORK_QUEUE_ITEM>(TAG);
        item.write(WORK_QUEUE_ITEM::new(routine, (&raw mut begun).cast()));
        ExQueueWorkItem(item, DelayedWorkQueue);
        if !BROKEN {
            wait(&mut begun);
        }
        ExQueueWorkItem(item, DelayedWorkQueue);
        wait(&mut begun);
        free(item);
        done(irp)
    }
}

unsafe extern "system" fn routine(begun: *mut c_void) {
    unsafe { KeSetEvent(begun.cast(), 0, 0) };
}
