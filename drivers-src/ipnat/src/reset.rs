//! The reset-interface request: tears down what an interface holds and begins afresh.
//!
//! The request is an assumption (see the crate documentation). It runs on a thread of its own,
//! while other processors translate packets on the same interface.

use core::ptr::null_mut;

use crate::interface::{Interface, NoMemory};
#[cfg(feature = "buggy")]
use crate::os;
use crate::os::AtDispatch;
#[cfg(not(feature = "buggy"))]
use crate::preserve;
use crate::preserve::PreservationTable;

/// Ends every session of an interface and forgets its preserved addresses, all but the reserved
/// ones. Callers are one at a time. IRQL PASSIVE.
///
/// # Errors
/// There is no memory for the fresh table. The interface goes on without preservation until it is
/// reset or configured again.
#[inline(never)]
pub fn reset_interface(interface: &Interface) -> Result<(), NoMemory> {
    let retired = unlink_table(interface);
    free_retired_table(retired);
    end_sessions(interface);
    interface.ensure_table()
}

/// Takes the preservation table out of the interface: no packet can find it from then on.
#[inline(never)]
fn unlink_table(interface: &Interface) -> *mut PreservationTable {
    let at = AtDispatch::raise();
    let mut state = interface.lock(&at);
    state.generation = state.generation.wrapping_add(1);
    core::mem::replace(&mut state.preservation, null_mut())
}

/// Lets go of the table that was unlinked: a walker that found it before still reads it, and frees
/// it at the end of its walk.
#[cfg(not(feature = "buggy"))]
#[inline(never)]
fn free_retired_table(retired: *mut PreservationTable) {
    if !retired.is_null() {
        unsafe { preserve::leave(retired) };
    }
}

/// Frees the table that was unlinked: no packet can find it any more.
#[cfg(feature = "buggy")]
#[inline(never)]
fn free_retired_table(retired: *mut PreservationTable) {
    if !retired.is_null() {
        unsafe { os::free(retired.cast()) };
    }
}

/// Ends every session.
#[inline(never)]
fn end_sessions(interface: &Interface) {
    let at = AtDispatch::raise();
    interface.lock(&at).close_unless(|_| false);
}
