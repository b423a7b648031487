//! `DriverEntry` and the unload routine.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};

use nt::ex;
use nt::global::Global;
use nt::ke::*;
use nt::rundown::{self, Rundown};
use nt::status::{NT_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::tdi::event;
use nt::types::*;

use crate::session::Session;
use crate::transport::{self, File};
use crate::{events, transfer};

const TAG: u32 = tag(b"FtpS");
/// Clients at the same time at most.
const SESSIONS: usize = 8;
/// The port of FTP's control connections.
const PORT: u16 = 21;

/// What the driver has.
#[repr(C)]
struct State {
    address: File,
    /// `count` sessions in one block of pool.
    sessions: *mut Session,
    count: usize,
    /// Requests that the transport has, and timers that are set.
    requests: Rundown,
}

static STATE: Global<State> = Global::new(unsafe { core::mem::zeroed() });

static STOPPING: AtomicBool = AtomicBool::new(false);

/// Whether the service is being stopped, so that no timer is to be set any more.
pub fn stopping() -> bool {
    STOPPING.load(Ordering::Acquire)
}

/// All sessions.
pub fn sessions() -> impl Iterator<Item = *mut Session> {
    let (first, count) = unsafe { ((*STATE.get()).sessions, (*STATE.get()).count) };
    (0..count).map(move |i| unsafe { first.add(i) })
}

/// Counts what is under way: the requests that the transport has, and the timers that are set.
pub fn requests() -> *mut Rundown {
    unsafe { &raw mut (*STATE.get()).requests }
}

/// Starts the service: opens port 21 and the connections for its clients.
///
/// # Safety
/// Called by the I/O manager once, at IRQL PASSIVE, after the transport was started.
#[unsafe(link_section = "INIT")]
#[unsafe(no_mangle)]
pub unsafe extern "system" fn DriverEntry(
    driver: *mut DRIVER_OBJECT,
    _service: *const UNICODE_STRING,
) -> NTSTATUS {
    unsafe {
        let state = STATE.get();
        rundown::initialize(requests());
        let bytes = SESSIONS * size_of::<Session>();
        (*state).sessions = ex::allocate_bytes(bytes, TAG).cast();
        if (*state).sessions.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        (*state).sessions.cast::<u8>().write_bytes(0, bytes);
        let status = match transport::open_address(PORT) {
            Ok(address) => {
                (*state).address = address;
                let mut status = open_sessions();
                if NT_SUCCESS(status) {
                    status = set_handlers();
                }
                if !NT_SUCCESS(status) {
                    close_files();
                }
                status
            }
            Err(status) => status,
        };
        if NT_SUCCESS(status) {
            (*driver).DriverUnload = Some(unload);
        } else {
            ex::free((*state).sessions);
        }
        status
    }
}

#[unsafe(link_section = "INIT")]
#[inline(never)]
unsafe fn open_sessions() -> NTSTATUS {
    unsafe {
        let state = STATE.get();
        while (*state).count < SESSIONS {
            let session = (*state).sessions.add((*state).count);
            match transport::open_connection(session.cast()) {
                Ok(connection) => (*session).connection = connection,
                Err(status) => return status,
            }
            KeInitializeTimer(&raw mut (*session).timer);
            KeInitializeDpc(&raw mut (*session).dpc, transfer::next, session.cast());
            (*state).count += 1;
            let status = transport::associate(&(*session).connection, &(*state).address);
            if !NT_SUCCESS(status) {
                return status;
            }
        }
        STATUS_SUCCESS
    }
}

/// From here on clients come in: the handler for them is the last one to be set.
#[unsafe(link_section = "INIT")]
#[inline(never)]
unsafe fn set_handlers() -> NTSTATUS {
    let handlers = [
        (event::RECEIVE, events::receive as *mut c_void),
        (
            event::RECEIVE_EXPEDITED,
            events::receive_expedited as *mut c_void,
        ),
        (event::DISCONNECT, events::disconnect as *mut c_void),
        (event::CONNECT, events::connect as *mut c_void),
    ];
    for (kind, handler) in handlers {
        let status = unsafe { transport::set_handler(&(*STATE.get()).address, kind, handler) };
        if !NT_SUCCESS(status) {
            return status;
        }
    }
    STATUS_SUCCESS
}

/// Stops the service: breaks off what is open and waits until nothing of it is under way.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
unsafe extern "system" fn unload(_driver: *const DRIVER_OBJECT) {
    unsafe {
        let state = STATE.get();
        transport::set_handler(&(*state).address, event::CONNECT, null_mut());
        STOPPING.store(true, Ordering::Release);
        close_files();
        ex::free((*state).sessions);
    }
}

/// Closes all files when nothing new begins on them, and waits for what is under way.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
unsafe fn close_files() {
    unsafe {
        let address = &(*STATE.get()).address;
        for session in sessions() {
            transfer::cancel(session);
            transport::close(&(*session).connection);
        }
        transport::close(address);
        rundown::finish(requests());
        for session in sessions() {
            transport::dereference(&(*session).connection);
        }
        transport::dereference(address);
    }
}
