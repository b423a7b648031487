//! `time.timer_late`: what the DPC of a timer uses is freed when the timer must have expired long
//! ago. The correct driver cancels the timer, or waits for its DPC.

use core::mem::zeroed;

use nt::global::Global;
use nt::ke::*;
use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"time.timer_late", begin);

struct Objects {
    timer: KTIMER,
    dpc: KDPC,
    done: KEVENT,
}

static OBJECTS: Global<Objects> = Global::new(unsafe { zeroed() });

unsafe extern "system" fn expired(
    _: *mut KDPC,
    block: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
    unsafe {
        block.cast::<u8>().write_volatile(1);
        KeSetEvent(&raw mut (*OBJECTS.get()).done, 0, 0);
    }
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let objects = OBJECTS.get();
        let block = tools::page();
        if block.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        KeInitializeTimer(&raw mut (*objects).timer);
        KeInitializeDpc(&raw mut (*objects).dpc, expired, block.cast());
        KeInitializeEvent(&raw mut (*objects).done, NotificationEvent, 0);
        let due = tools::after_ms(5);
        KeSetTimer(&raw mut (*objects).timer, due, &raw mut (*objects).dpc);
        tools::sleep(20);
        #[cfg(not(feature = "buggy"))]
        if KeCancelTimer(&raw mut (*objects).timer) == 0 {
            wait(&raw mut (*objects).done);
        }
        tools::free(block);
    }
    STATUS_SUCCESS
}
