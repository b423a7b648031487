//! Time: sending again what is not acknowledged, and the end of TIME-WAIT.
//!
//! One timer serves all connections. It runs only while some connection counts ticks, so that an
//! idle stack leaves the processor alone.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use nt::global::Global;
use nt::ke::{KeCancelTimer, KeInitializeDpc, KeInitializeTimer, KeRemoveQueueDpc, KeSetTimer};
use nt::status::STATUS_IO_TIMEOUT;
use nt::types::*;

use super::connection::{self, Connection, State, lock};
use super::deferred::Deferred;
use super::{deliver, input, sender, table};
use crate::ipr::Queue;
use nt::rundown;

/// A tick is half a second, in units of 100 ns from now.
const TICK: i64 = -5_000_000;
/// The first wait for an acknowledgement: 3 seconds (RFC 1122, 4.2.3.1). It doubles each time.
const FIRST_WAIT: u32 = 6;
/// `TcpMaxDataRetransmissions`: after that many the connection is given up.
const RETRIES_MAX: u32 = 5;
/// `TcpTimedWaitDelay`: 240 seconds.
const TIME_WAIT: u32 = 480;

#[repr(C)]
struct Clock {
    timer: KTIMER,
    dpc: KDPC,
}

static CLOCK: Global<Clock> = Global::new(unsafe { core::mem::zeroed() });
/// The timer is set.
static RUNNING: AtomicBool = AtomicBool::new(false);
/// The number of the latest walk over the table.
static WALK: AtomicU32 = AtomicU32::new(0);

/// Sets the timer up.
pub unsafe fn initialize() {
    unsafe {
        let clock = CLOCK.get();
        KeInitializeTimer(&raw mut (*clock).timer);
        KeInitializeDpc(&raw mut (*clock).dpc, tick, core::ptr::null_mut());
    }
}

/// Stops the timer. Nothing starts it again: all connections are closed. IRQL PASSIVE.
pub unsafe fn stop() {
    unsafe {
        KeCancelTimer(&raw mut (*CLOCK.get()).timer);
        KeRemoveQueueDpc(&raw mut (*CLOCK.get()).dpc);
    }
}

/// Starts the first wait for an acknowledgement; gives its length in ticks. IRQL DISPATCH.
pub unsafe fn first_wait() -> u32 {
    unsafe { run() };
    FIRST_WAIT
}

/// Both sides have ended: the connection stays until no old segment can come any more.
pub unsafe fn wait_before_closing(connection: *mut Connection) {
    unsafe {
        (*connection).state = State::TimeWait;
        sender::clear(&mut (*connection).sender);
        (*connection).sender.ticks = TIME_WAIT;
        run();
    }
}

unsafe fn run() {
    if !RUNNING.swap(true, Ordering::AcqRel) {
        unsafe {
            KeSetTimer(
                &raw mut (*CLOCK.get()).timer,
                TICK,
                &raw mut (*CLOCK.get()).dpc,
            )
        };
    }
}

unsafe extern "system" fn tick(
    _dpc: *mut KDPC,
    _context: *mut c_void,
    _argument1: *mut c_void,
    _argument2: *mut c_void,
) {
    unsafe {
        // Whoever starts to count from here on sets the timer again, met by the walk or not.
        RUNNING.store(false, Ordering::Release);
        let walk = WALK.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mut counting = false;
        loop {
            let connection = table::next_of_walk(walk);
            if connection.is_null() {
                break;
            }
            counting |= count(connection);
            rundown::release(&raw mut (*connection).users);
        }
        if counting {
            run();
        }
    }
}

/// Counts a tick of a connection; gives whether it goes on counting.
unsafe fn count(connection: *mut Connection) -> bool {
    unsafe {
        let mut deferred = Deferred::NOTHING;
        lock(connection);
        let sender = &raw mut (*connection).sender;
        if (*sender).ticks != 0 {
            (*sender).ticks -= 1;
            if (*sender).ticks == 0 {
                expired(connection, &mut deferred);
            }
        }
        let counting = (*sender).ticks != 0;
        deliver::finish(connection, Queue::EMPTY, &mut deferred);
        counting
    }
}

/// The wait is over. The lock is held.
unsafe fn expired(connection: *mut Connection, deferred: &mut Deferred) {
    unsafe {
        let sender = &raw mut (*connection).sender;
        if (*connection).state == State::TimeWait {
            return connection::close(connection, nt::status::STATUS_SUCCESS, deferred);
        }
        if (*sender).retries == RETRIES_MAX {
            sender::reset(connection, deferred);
            return input::abort(connection, STATUS_IO_TIMEOUT, deferred);
        }
        (*sender).retries += 1;
        if (*connection).state == State::SynReceived {
            sender::synchronize(connection, deferred);
        } else {
            sender::send_again(connection, deferred);
        }
        (*sender).ticks = FIRST_WAIT << (*sender).retries;
    }
}
