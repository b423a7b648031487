//! The timer that ends idle sessions.

use core::cell::UnsafeCell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};

use nt::ke::*;
use nt::types::{KDPC, KEVENT, KTIMER, c_void};

use crate::nat::NAT;
use crate::os::AtDispatch;

/// Seconds between two sweeps: a session may live this much longer than its timeout.
const INTERVAL_SECONDS: i64 = 5;

/// A timer whose DPC sets it again until it is told to stop.
struct Sweep {
    timer: UnsafeCell<KTIMER>,
    dpc: UnsafeCell<KDPC>,
    /// Set by the DPC that does not set the timer again.
    stopped: UnsafeCell<KEVENT>,
    stopping: AtomicBool,
}

// The kernel's objects have their own locks.
unsafe impl Sync for Sweep {}

static SWEEP: Sweep = Sweep {
    timer: UnsafeCell::new(unsafe { core::mem::zeroed() }),
    dpc: UnsafeCell::new(unsafe { core::mem::zeroed() }),
    stopped: UnsafeCell::new(unsafe { core::mem::zeroed() }),
    stopping: AtomicBool::new(false),
};

/// Starts sweeping. IRQL PASSIVE.
pub unsafe fn start() {
    unsafe {
        KeInitializeEvent(SWEEP.stopped.get(), NotificationEvent, 0);
        KeInitializeDpc(SWEEP.dpc.get(), sweep_sessions, null_mut());
        KeInitializeTimer(SWEEP.timer.get());
        SWEEP.stopping.store(false, Ordering::Relaxed);
        set_timer();
    }
}

/// Stops sweeping; when it returns, no sweep will begin. IRQL PASSIVE.
pub unsafe fn stop() {
    SWEEP.stopping.store(true, Ordering::SeqCst);
    unsafe {
        // A timer that was not set has its DPC under way, which will see the flag, at the latest
        // when the timer that it may be setting right now has run.
        if KeCancelTimer(SWEEP.timer.get()) == 0 {
            wait(SWEEP.stopped.get());
        }
    }
}

unsafe fn set_timer() {
    let due = -INTERVAL_SECONDS * 10_000_000;
    unsafe { KeSetTimer(SWEEP.timer.get(), due, SWEEP.dpc.get()) };
}

unsafe extern "system" fn sweep_sessions(
    _: *mut KDPC,
    _: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
    unsafe {
        NAT.expire(&AtDispatch::entered());
        if SWEEP.stopping.load(Ordering::SeqCst) {
            KeSetEvent(SWEEP.stopped.get(), 0, 0);
        } else {
            set_timer();
        }
    }
}
