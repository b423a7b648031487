//! `time.dpc_delay`: a DPC that is queued below DISPATCH_LEVEL has run when the call returns, nearly
//! always. The correct driver waits until it has.

use core::mem::zeroed;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use nt::global::Global;
use nt::ke::*;
use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"time.dpc_delay", begin);

static OBJECTS: Global<(KDPC, KEVENT)> = Global::new(unsafe { zeroed() });
static RESULT: AtomicPtr<u8> = AtomicPtr::new(null_mut());

unsafe extern "system" fn delayed(
    _: *mut KDPC,
    block: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
    RESULT.store(block.cast(), Release);
    unsafe { KeSetEvent(&raw mut (*OBJECTS.get()).1, 0, 0) };
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let (dpc, event) = (&raw mut (*OBJECTS.get()).0, &raw mut (*OBJECTS.get()).1);
        let block = tools::page();
        if block.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        RESULT.store(null_mut(), Relaxed);
        KeInitializeEvent(event, NotificationEvent, 0);
        KeInitializeDpc(dpc, delayed, block.cast());
        KeInsertQueueDpc(dpc, null_mut(), null_mut());
        #[cfg(not(feature = "buggy"))]
        wait(event);
        RESULT.load(Acquire).write_volatile(1);
        tools::free(block);
    }
    STATUS_SUCCESS
}
