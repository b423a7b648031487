//! `irql.interrupt`: the DPC of a timer frees a block between the look at its pointer and the use of
//! the block. The correct user holds DPCs off meanwhile.

use core::mem::zeroed;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use nt::global::Global;
#[cfg(not(feature = "buggy"))]
use nt::irql::{DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql};
use nt::ke::*;
use nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"irql.interrupt", begin);

static TIMER: Global<(KTIMER, KDPC)> = Global::new(unsafe { zeroed() });
static BLOCK: AtomicPtr<u8> = AtomicPtr::new(null_mut());

unsafe extern "system" fn expired(_: *mut KDPC, _: *mut c_void, _: *mut c_void, _: *mut c_void) {
    unsafe { tools::free(BLOCK.swap(null_mut(), Relaxed)) };
}

#[inline(never)]
unsafe extern "system" fn consume(block: *mut u8) {
    unsafe { block.write_volatile(block.read_volatile().wrapping_add(1)) };
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let (timer, dpc) = (&raw mut (*TIMER.get()).0, &raw mut (*TIMER.get()).1);
        BLOCK.store(tools::page(), Relaxed);
        if BLOCK.load(Relaxed).is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        KeInitializeTimer(timer);
        KeInitializeDpc(dpc, expired, null_mut());
        KeSetTimer(timer, tools::after_ms(1000), dpc);
        #[cfg(not(feature = "buggy"))]
        let old = KeRaiseIrql(DISPATCH_LEVEL);
        let block = BLOCK.load(Relaxed);
        if !block.is_null() {
            consume(block);
        }
        #[cfg(not(feature = "buggy"))]
        KeLowerIrql(old);
        if KeCancelTimer(timer) != 0 {
            tools::free(BLOCK.swap(null_mut(), Relaxed));
        }
    }
    STATUS_SUCCESS
}
