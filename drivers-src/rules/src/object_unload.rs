//! `object-unload`. The unload routine forgets a timer with a DPC.

use core::mem::{MaybeUninit, zeroed};
use core::ptr::null_mut;

use nt::global::Global;
use nt::ke::{KeCancelTimer, KeInitializeDpc, KeInitializeTimer, KeSetTimer};
use nt::types::{DEVICE_OBJECT, IRP, KDPC, KTIMER, NTSTATUS, c_void};

use crate::act::{BROKEN, done};

/// Breaks the rule, or keeps it.
pub(crate) unsafe fn run(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let later = LATER.get().cast::<Later>();
        later.write(zeroed());
        KeInitializeDpc(&raw mut (*later).dpc, routine, null_mut());
        KeInitializeTimer(&raw mut (*later).timer);
        KeSetTimer(&raw mut (*later).timer, -100_000_000, &raw mut (*later).dpc);
        *SET.get() = true;
        done(irp)
    }
}

struct Later {
    timer: KTIMER,
    dpc: KDPC,
}

static LATER: Global<MaybeUninit<Later>> = Global::new(MaybeUninit::uninit());
static SET: Global<bool> = Global::new(false);

unsafe extern "system" fn routine(_: *mut KDPC, _: *mut c_void, _: *mut c_void, _: *mut c_void) {}

/// Called when the driver is unloaded.
pub(crate) unsafe fn unload() {
    unsafe {
        if SET.get().read() && !BROKEN {
            let later = LATER.get().cast::<Later>();
            KeCancelTimer(&raw mut (*later).timer);
        }
    }
}
