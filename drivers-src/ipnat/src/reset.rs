//! The reset-interface request: tears down what an interface holds and begins afresh.
//!
//! The request is an assumption (see the crate documentation). It runs on a thread of its own,
//! while other processors translate packets on the same interface.

use core::ptr::null_mut;

use crate::interface::{Interface, NoMemory};
use crate::os::{self, AtDispatch};
use crate::preserve::{self, PreservationTable};

/// Ends every session of an interface and replaces its preservation table by a fresh one, in which
/// only reserved addresses are bound. Callers are one at a time. IRQL PASSIVE.
///
/// # Errors
/// There is no memory for the fresh table; nothing was reset.
#[inline(never)]
pub fn reset_interface(interface: &Interface) -> Result<(), NoMemory> {
    let fresh = fresh_table(interface)?;
    // The table goes first: from here on no packet is given an address of the old one.
    let retired = exchange_table(interface, fresh);
    free_retired_table(retired);
    end_sessions(interface);
    Ok(())
}

/// The table that the interface would have if it had just been configured, null for none.
fn fresh_table(interface: &Interface) -> Result<*mut PreservationTable, NoMemory> {
    let configuration = {
        let at = AtDispatch::raise();
        let state = interface.lock(&at);
        if state.preservation.is_null() {
            return Ok(null_mut());
        }
        state.configuration
    };
    let fresh = preserve::create(&configuration, os::ticks());
    if fresh.is_null() {
        return Err(NoMemory);
    }
    Ok(fresh)
}

/// Puts the fresh table in the place of the old one, which no packet can find from then on.
#[inline(never)]
fn exchange_table(interface: &Interface, fresh: *mut PreservationTable) -> *mut PreservationTable {
    let at = AtDispatch::raise();
    let mut state = interface.lock(&at);
    state.generation = state.generation.wrapping_add(1);
    core::mem::replace(&mut state.preservation, fresh)
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
