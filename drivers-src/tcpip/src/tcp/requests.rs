//! What the client asks of a connection. IRQL DISPATCH.
//!
//! Each function takes over the request and gives what the dispatch routine returns for it.

use core::ptr::null_mut;

use nt::io::{self, IoMarkIrpPending};
use nt::status::*;
use nt::tdi::*;
use nt::types::*;

use super::connection::{self, Connection, State, lock, unlock};
use super::deferred::Deferred;
use super::receiver::Ending;
use super::{deliver, sender};
use crate::ipr::Queue;

/// LISTEN: waits for a peer. The connection is accepted when the handshake is done.
pub unsafe fn listen(connection: *mut Connection, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        lock(connection);
        let usable = (*connection).state == State::Closed
            && !(*connection).address.is_null()
            && !(*connection).receiver.in_delivery;
        if usable {
            IoMarkIrpPending(irp);
            (*connection).state = State::Listen;
            (*connection).opening = irp;
        }
        unlock(connection);
        if usable {
            STATUS_PENDING
        } else {
            io::complete(irp, STATUS_INVALID_CONNECTION, 0)
        }
    }
}

/// The LISTEN request of a connection that waits for a peer, or null. The connection stays in
/// that state until the handshake starts on it.
pub unsafe fn take_listen(connection: *mut Connection) -> *mut IRP {
    unsafe {
        lock(connection);
        let mut irp = null_mut();
        if (*connection).state == State::Listen {
            irp = core::mem::replace(&mut (*connection).opening, null_mut());
        }
        unlock(connection);
        irp
    }
}

/// SEND: the data is copied and the request ends at once; the peer gets it when its window allows.
pub unsafe fn send(connection: *mut Connection, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let wanted: *const TDI_REQUEST_KERNEL_SEND = io::parameters(io::current_stack(irp));
        let length = (*wanted).SendLength;
        let urgent = (*wanted).SendFlags & TDI_SEND_EXPEDITED != 0;
        if described((*irp).MdlAddress) < length {
            return io::complete(irp, STATUS_INVALID_PARAMETER, 0);
        }
        let mut deferred = Deferred::NOTHING;
        lock(connection);
        let status = if !matches!((*connection).state, State::Established | State::CloseWait) {
            STATUS_INVALID_CONNECTION
        } else if sender::queue(
            &raw mut (*connection).sender,
            (*irp).MdlAddress,
            length,
            urgent,
        ) {
            sender::push(connection, &mut deferred);
            STATUS_SUCCESS
        } else {
            STATUS_INSUFFICIENT_RESOURCES
        };
        unlock(connection);
        deferred.run();
        io::complete(
            irp,
            status,
            if status == STATUS_SUCCESS {
                length as usize
            } else {
                0
            },
        )
    }
}

/// RECEIVE: waits for data that the client was not shown, or did not take.
pub unsafe fn receive(connection: *mut Connection, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut deferred = Deferred::NOTHING;
        lock(connection);
        let receiver = &raw mut (*connection).receiver;
        let open = !matches!(
            (*connection).state,
            State::Closed | State::Listen | State::SynReceived
        );
        let more = (*receiver).ending == Ending::None || (*receiver).pending.size != 0;
        if open && more {
            IoMarkIrpPending(irp);
            (*receiver).requests.push(irp);
            (*receiver).refused = false;
        }
        deliver::finish(connection, Queue::EMPTY, &mut deferred);
        match (open, more) {
            (true, true) => STATUS_PENDING,
            (true, false) => io::complete(irp, STATUS_REMOTE_DISCONNECT, 0),
            _ => io::complete(irp, STATUS_INVALID_CONNECTION, 0),
        }
    }
}

/// DISCONNECT: ends the stream of this side, and the request when the connection is closed; or
/// breaks the connection off.
pub unsafe fn disconnect(connection: *mut Connection, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let wanted: *const TDI_REQUEST_KERNEL = io::parameters(io::current_stack(irp));
        let mut deferred = Deferred::NOTHING;
        lock(connection);
        let status = if (*wanted).RequestFlags as u32 & TDI_DISCONNECT_ABORT != 0 {
            break_off(connection, STATUS_CONNECTION_ABORTED, &mut deferred);
            STATUS_SUCCESS
        } else {
            release(connection, irp, &mut deferred)
        };
        deliver::finish(connection, Queue::EMPTY, &mut deferred);
        if status == STATUS_PENDING {
            status
        } else {
            io::complete(irp, status, 0)
        }
    }
}

/// The last handle of a connection is gone.
pub unsafe fn cleanup(connection: *mut Connection) {
    unsafe {
        let mut deferred = Deferred::NOTHING;
        lock(connection);
        // Nobody is left to be told.
        (*connection).receiver.ending_told = true;
        (*connection).abandoned = true;
        break_off(connection, STATUS_CANCELLED, &mut deferred);
        deliver::finish(connection, Queue::EMPTY, &mut deferred);
    }
}

unsafe fn release(connection: *mut Connection, irp: *mut IRP, deferred: &mut Deferred) -> NTSTATUS {
    unsafe {
        let next = match (*connection).state {
            State::Established => State::FinWait1,
            State::CloseWait => State::LastAck,
            _ => return STATUS_INVALID_CONNECTION,
        };
        if !sender::queue_end(&raw mut (*connection).sender) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        IoMarkIrpPending(irp);
        (*connection).closing = irp;
        (*connection).state = next;
        sender::push(connection, deferred);
        STATUS_PENDING
    }
}

unsafe fn break_off(connection: *mut Connection, status: NTSTATUS, deferred: &mut Deferred) {
    unsafe {
        match (*connection).state {
            State::Closed => {}
            State::Listen | State::TimeWait => connection::close(connection, status, deferred),
            _ => {
                sender::reset(connection, deferred);
                connection::close(connection, status, deferred);
            }
        }
    }
}

/// Whether a connection is in use.
pub unsafe fn is_closed(connection: *mut Connection) -> bool {
    unsafe {
        lock(connection);
        let closed = (*connection).state == State::Closed;
        unlock(connection);
        closed
    }
}

/// Bytes that an MDL chain describes.
unsafe fn described(mut mdl: *const MDL) -> u32 {
    let mut bytes = 0u32;
    unsafe {
        while !mdl.is_null() {
            bytes = bytes.saturating_add((*mdl).ByteCount);
            mdl = (*mdl).Next;
        }
    }
    bytes
}
