//! `time.dpc_twice`: a DPC frees what it was queued for, and is queued twice. The correct one takes
//! the block before it frees it.

use core::mem::zeroed;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use nt::global::Global;
use nt::ke::*;
use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"time.dpc_twice", begin);

static DPC: Global<KDPC> = Global::new(unsafe { zeroed() });
static BLOCK: AtomicPtr<u8> = AtomicPtr::new(null_mut());

unsafe extern "system" fn release(_: *mut KDPC, _: *mut c_void, _: *mut c_void, _: *mut c_void) {
    #[cfg(feature = "buggy")]
    let block = BLOCK.load(Acquire);
    #[cfg(not(feature = "buggy"))]
    let block = BLOCK.swap(null_mut(), AcqRel);
    unsafe { tools::free(block) };
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let block = tools::page();
        if block.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        BLOCK.store(block, Release);
        KeInitializeDpc(DPC.get(), release, null_mut());
        KeInsertQueueDpc(DPC.get(), null_mut(), null_mut());
        tools::sleep(10);
    }
    STATUS_SUCCESS
}
