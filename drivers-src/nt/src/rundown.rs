//! Counting the users of an object so that its end can wait for the last of them.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::ke::{KeInitializeEvent, KeSetEvent, NotificationEvent, wait};
use crate::types::KEVENT;

/// A count of users and the event of its reaching zero.
#[repr(C)]
pub struct Rundown {
    users: AtomicU32,
    gone: KEVENT,
}

/// Starts with one user, who ends it all by [`finish`].
pub unsafe fn initialize(rundown: *mut Rundown) {
    unsafe {
        (*rundown).users = AtomicU32::new(1);
        KeInitializeEvent(&raw mut (*rundown).gone, NotificationEvent, 0);
    }
}

/// One more user. The caller knows by a lock or another use that the object is there.
pub unsafe fn acquire(rundown: *mut Rundown) {
    unsafe { (*rundown).users.fetch_add(1, Ordering::Relaxed) };
}

/// One user less. The object may be gone after that. IRQL <= DISPATCH.
pub unsafe fn release(rundown: *mut Rundown) {
    unsafe {
        if (*rundown).users.fetch_sub(1, Ordering::AcqRel) == 1 {
            KeSetEvent(&raw mut (*rundown).gone, 0, 0);
        }
    }
}

/// Ends the first use and waits for the end of all others. IRQL PASSIVE.
pub unsafe fn finish(rundown: *mut Rundown) {
    unsafe {
        release(rundown);
        wait(&raw mut (*rundown).gone);
    }
}
