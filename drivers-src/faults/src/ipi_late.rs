//! `irql.ipi_late`: the driver gives another processor a DPC and a millisecond to run it, which is
//! nearly always enough. The correct driver waits until it has run.

use core::mem::zeroed;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use nt::global::Global;
use nt::ke::*;
use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"irql.ipi_late", begin);

static OBJECTS: Global<(KDPC, KEVENT)> = Global::new(unsafe { zeroed() });
static ANSWER: AtomicPtr<u8> = AtomicPtr::new(null_mut());

unsafe extern "system" fn answer(_: *mut KDPC, block: *mut c_void, _: *mut c_void, _: *mut c_void) {
    ANSWER.store(block.cast(), Release);
    unsafe { KeSetEvent(&raw mut (*OBJECTS.get()).1, 0, 0) };
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let (dpc, event) = (&raw mut (*OBJECTS.get()).0, &raw mut (*OBJECTS.get()).1);
        let block = tools::page();
        if block.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        ANSWER.store(null_mut(), Relaxed);
        KeInitializeEvent(event, NotificationEvent, 0);
        KeInitializeDpc(dpc, answer, block.cast());
        KeSetTargetProcessorDpc(dpc, 1);
        KeSetImportanceDpc(dpc, HighImportance);
        KeInsertQueueDpc(dpc, null_mut(), null_mut());
        #[cfg(feature = "buggy")]
        tools::sleep(1);
        #[cfg(not(feature = "buggy"))]
        wait(event);
        ANSWER.load(Acquire).write_volatile(1);
        tools::free(block);
    }
    STATUS_SUCCESS
}
