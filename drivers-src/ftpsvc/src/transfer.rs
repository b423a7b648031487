//! A transfer, modelled: lines at a steady pace until the last one or an ABOR.
//!
//! They go over the control connection. A real server opens a second connection for the data, which
//! needs an active open that the transport here does not have.

use nt::ke::{KeCancelTimer, KeSetTimer};
use nt::rundown;
use nt::types::*;

use crate::driver;
use crate::reply::{self, Text};
use crate::session::{self, Session};

/// The time between two lines: 10 ms, in units of 100 ns from now.
const PACE: i64 = -100_000;

/// Sets a session's timer for the next line; a timer that is set counts as under way.
pub unsafe fn start(session: *mut Session) {
    unsafe {
        if driver::stopping() {
            return;
        }
        rundown::acquire(driver::requests());
        if KeSetTimer(&raw mut (*session).timer, PACE, &raw mut (*session).dpc) != 0 {
            // It was set already, and counted.
            rundown::release(driver::requests());
        }
    }
}

/// Stops a session's timer. A line that is just being sent is not waited for.
pub unsafe fn cancel(session: *mut Session) {
    unsafe {
        if KeCancelTimer(&raw mut (*session).timer) != 0 {
            rundown::release(driver::requests());
        }
    }
}

/// The routine of a session's timer: the next line. IRQL DISPATCH.
pub unsafe extern "system" fn next(
    _dpc: *mut KDPC,
    session: *mut c_void,
    _argument1: *mut c_void,
    _argument2: *mut c_void,
) {
    unsafe {
        let session: *mut Session = session.cast();
        match session::next_line(session) {
            None => {}
            Some(0) => reply::send(session, Text::Complete),
            Some(_) => {
                reply::send(session, Text::Line);
                start(session);
            }
        }
        rundown::release(driver::requests());
    }
}
