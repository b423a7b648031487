//! The event handlers: what the transport calls. IRQL DISPATCH, on any processor; for one
//! connection one at a time.

use core::ptr::null_mut;

use nt::io::*;
use nt::rundown;
use nt::status::*;
use nt::tdi::*;
use nt::types::*;

use crate::driver;
use crate::reply::{self, Text};
use crate::session::{self, Session, State};
use crate::transfer;

/// A client wants a connection: takes it for the first free session.
pub unsafe extern "system" fn connect(
    _context: *mut c_void,
    _remote_length: i32,
    _remote: *mut c_void,
    _user_length: i32,
    _user: *mut c_void,
    _options_length: i32,
    _options: *mut c_void,
    connection_context: *mut *mut c_void,
    accept: *mut *mut IRP,
) -> NTSTATUS {
    unsafe {
        for session in driver::sessions() {
            if !session::claim(session) {
                continue;
            }
            let file = &(*session).connection;
            let irp = IoAllocateIrp((*file.device).StackSize, 0);
            if irp.is_null() {
                session::change(session, State::Open, State::Free);
                return STATUS_INSUFFICIENT_RESOURCES;
            }
            build::<TDI_REQUEST_KERNEL>(irp, file.object, file.device, minor::ACCEPT)
                .write(core::mem::zeroed());
            set_completion_routine(irp, accepted, session.cast());
            IoSetNextIrpStackLocation(irp);
            rundown::acquire(driver::requests());
            *connection_context = session.cast();
            *accept = irp;
            return STATUS_MORE_PROCESSING_REQUIRED;
        }
        STATUS_CONNECTION_REFUSED
    }
}

/// The handshake is done, or failed.
unsafe extern "system" fn accepted(
    _device: *mut DEVICE_OBJECT,
    irp: *mut IRP,
    session: *mut c_void,
) -> NTSTATUS {
    unsafe {
        let session: *mut Session = session.cast();
        if NT_SUCCESS((*irp).IoStatus.Anonymous.Status) {
            reply::send(session, Text::Ready);
        } else {
            session::change(session, State::Open, State::Free);
        }
        IoFreeIrp(irp);
        rundown::release(driver::requests());
    }
    STATUS_MORE_PROCESSING_REQUIRED
}

/// Bytes of the dialogue. All are taken.
pub unsafe extern "system" fn receive(
    _context: *mut c_void,
    connection_context: *mut c_void,
    _flags: u32,
    indicated: u32,
    _available: u32,
    taken: *mut u32,
    tsdu: *mut c_void,
    _irp: *mut *mut IRP,
) -> NTSTATUS {
    unsafe {
        let session: *mut Session = connection_context.cast();
        let bytes = core::slice::from_raw_parts(tsdu.cast(), indicated as usize);
        let outcome = session::received(session, bytes);
        *taken = indicated;
        for text in outcome.replies() {
            reply::send(session, text);
        }
        if outcome.start_transfer {
            transfer::start(session);
        }
        if outcome.quit {
            end(session);
        }
    }
    STATUS_SUCCESS
}

/// Urgent bytes: the announcement of a Synch.
pub unsafe extern "system" fn receive_expedited(
    _context: *mut c_void,
    connection_context: *mut c_void,
    _flags: u32,
    indicated: u32,
    _available: u32,
    taken: *mut u32,
    tsdu: *mut c_void,
    _irp: *mut *mut IRP,
) -> NTSTATUS {
    unsafe {
        let bytes: &[u8] = core::slice::from_raw_parts(tsdu.cast(), indicated as usize);
        for &byte in bytes {
            session::urgent(connection_context.cast(), byte);
        }
        *taken = indicated;
    }
    STATUS_SUCCESS
}

/// The client ended the connection, or it broke.
pub unsafe extern "system" fn disconnect(
    _context: *mut c_void,
    connection_context: *mut c_void,
    _data_length: i32,
    _data: *mut c_void,
    _information_length: i32,
    _information: *mut c_void,
    flags: u32,
) -> NTSTATUS {
    unsafe {
        let session: *mut Session = connection_context.cast();
        if flags & TDI_DISCONNECT_ABORT != 0 {
            // A session that is being closed becomes free when its request ends.
            session::change(session, State::Open, State::Free);
        } else {
            end(session);
        }
    }
    STATUS_SUCCESS
}

/// Ends this side of a connection; the session is free when both sides have ended.
unsafe fn end(session: *mut Session) {
    unsafe {
        if !session::change(session, State::Open, State::Closing) {
            return;
        }
        let file = &(*session).connection;
        let irp = IoAllocateIrp((*file.device).StackSize, 0);
        if irp.is_null() {
            // The connection stays half open until the client breaks it off.
            session::change(session, State::Closing, State::Open);
            return;
        }
        build::<TDI_REQUEST_KERNEL>(irp, file.object, file.device, minor::DISCONNECT).write(
            TDI_REQUEST_KERNEL {
                RequestFlags: TDI_DISCONNECT_RELEASE as usize,
                RequestConnectionInformation: null_mut(),
                ReturnConnectionInformation: null_mut(),
                RequestSpecific: null_mut(),
            },
        );
        set_completion_routine(irp, ended, session.cast());
        rundown::acquire(driver::requests());
        IofCallDriver(file.device, irp);
    }
}

unsafe extern "system" fn ended(
    _device: *mut DEVICE_OBJECT,
    irp: *mut IRP,
    session: *mut c_void,
) -> NTSTATUS {
    unsafe {
        session::change(session.cast(), State::Closing, State::Free);
        IoFreeIrp(irp);
        rundown::release(driver::requests());
    }
    STATUS_MORE_PROCESSING_REQUIRED
}
