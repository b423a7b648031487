//! A block of pool that a DPC is to hand over, and the driver that uses it: at once where it trusts
//! that the DPC has run by then, or when the DPC says that it has.

use core::mem::zeroed;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use nt::global::Global;
use nt::ke::*;
use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::tools;

static OBJECTS: Global<(KDPC, KEVENT)> = Global::new(unsafe { zeroed() });
static ANSWER: AtomicPtr<u8> = AtomicPtr::new(null_mut());

unsafe extern "system" fn answer(_: *mut KDPC, block: *mut c_void, _: *mut c_void, _: *mut c_void) {
    ANSWER.store(block.cast(), Release);
    unsafe { KeSetEvent(&raw mut (*OBJECTS.get()).1, 0, 0) };
}

/// Queues a DPC, made ready by `prepare`, and uses what it hands over. `trust` is how long the driver
/// with the defect gives it.
///
/// # Safety
/// IRQL PASSIVE, and by one thread at a time.
pub unsafe fn used(prepare: impl FnOnce(*mut KDPC), trust: impl FnOnce()) -> NTSTATUS {
    unsafe {
        let (dpc, event) = (&raw mut (*OBJECTS.get()).0, &raw mut (*OBJECTS.get()).1);
        let block = tools::page();
        if block.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        ANSWER.store(null_mut(), Relaxed);
        KeInitializeEvent(event, NotificationEvent, 0);
        KeInitializeDpc(dpc, answer, block.cast());
        prepare(dpc);
        KeInsertQueueDpc(dpc, null_mut(), null_mut());
        if cfg!(feature = "buggy") {
            trust();
        } else {
            wait(event);
        }
        ANSWER.load(Acquire).write_volatile(1);
        tools::free(block);
    }
    STATUS_SUCCESS
}
