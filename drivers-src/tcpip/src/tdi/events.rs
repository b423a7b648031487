//! Calls of the client's event handlers. IRQL DISPATCH, no lock held.

use core::mem::transmute;
use core::ptr::null_mut;

use nt::status::{STATUS_MORE_PROCESSING_REQUIRED, STATUS_SUCCESS};
use nt::tdi::*;
use nt::types::*;

use super::address::{self, Address};
use crate::tcp::connection::Connection;
use crate::tcp::requests;
use crate::tcp::tuple::Tuple;
use nt::rundown;

/// A client's answer to an offer of data.
pub enum Answer {
    /// It took that many bytes.
    Took(u32),
    /// It took that many bytes and wants the rest in a RECEIVE request.
    TookAndAsks(u32, *mut IRP),
}

/// A peer wants a connection: the ACCEPT request of the client's handler, or a LISTEN request that
/// waits; null if nobody wants it.
pub unsafe fn connect(address: *mut Address, tuple: &Tuple) -> *mut IRP {
    unsafe {
        let Some(handler) = address::handler(address, event::CONNECT) else {
            return listening(address);
        };
        let call: IND_CONNECT = transmute(handler.routine);
        let mut remote = TA_IP_ADDRESS::new(tuple.remote.to_be(), tuple.remote_port.to_be());
        let (mut context, mut accept) = (null_mut(), null_mut());
        let status = call(
            handler.context,
            size_of::<TA_IP_ADDRESS>() as i32,
            (&raw mut remote).cast(),
            0,
            null_mut(),
            0,
            null_mut(),
            &mut context,
            &mut accept,
        );
        if status == STATUS_MORE_PROCESSING_REQUIRED {
            accept
        } else {
            null_mut()
        }
    }
}

/// The first LISTEN request on a connection of the address.
unsafe fn listening(address: *mut Address) -> *mut IRP {
    unsafe {
        let mut connection = address::next_connection(address, null_mut());
        while !connection.is_null() {
            let request = requests::take_listen(connection);
            if !request.is_null() {
                rundown::release(&raw mut (*connection).users);
                return request;
            }
            connection = address::next_connection(address, connection);
        }
    }
    null_mut()
}

/// Shows `size` bytes, of `available` in all.
pub unsafe fn receive(
    connection: *mut Connection,
    bytes: *mut u8,
    size: u32,
    available: u32,
) -> Answer {
    unsafe {
        indicate(
            connection,
            event::RECEIVE,
            TDI_RECEIVE_NORMAL,
            bytes,
            size,
            available,
        )
    }
}

/// Shows an urgent byte. A client that does not take it does not get it again: urgent data that
/// nobody waits for is of no use later.
pub unsafe fn receive_expedited(connection: *mut Connection, mut byte: u8) {
    unsafe {
        let kind = event::RECEIVE_EXPEDITED;
        indicate(connection, kind, TDI_RECEIVE_EXPEDITED, &mut byte, 1, 1);
    }
}

unsafe fn indicate(
    connection: *mut Connection,
    kind: i32,
    flags: u32,
    bytes: *mut u8,
    size: u32,
    available: u32,
) -> Answer {
    unsafe {
        let Some(handler) = address::handler((*connection).address, kind) else {
            return Answer::Took(0);
        };
        let call: IND_RECEIVE = transmute(handler.routine);
        let (mut taken, mut request) = (0, null_mut());
        let status = call(
            handler.context,
            (*connection).context,
            flags | TDI_RECEIVE_COPY_LOOKAHEAD | TDI_RECEIVE_AT_DISPATCH_LEVEL,
            size,
            available,
            &mut taken,
            bytes.cast(),
            &mut request,
        );
        match status {
            STATUS_SUCCESS => Answer::Took(taken),
            STATUS_MORE_PROCESSING_REQUIRED if !request.is_null() => {
                Answer::TookAndAsks(taken, request)
            }
            _ => Answer::Took(0),
        }
    }
}

/// Tells that the peer ended (`TDI_DISCONNECT_RELEASE`) or that the connection broke
/// (`TDI_DISCONNECT_ABORT`).
pub unsafe fn disconnect(connection: *mut Connection, flags: u32) {
    unsafe {
        if let Some(handler) = address::handler((*connection).address, event::DISCONNECT) {
            let call: IND_DISCONNECT = transmute(handler.routine);
            call(
                handler.context,
                (*connection).context,
                0,
                null_mut(),
                0,
                null_mut(),
                flags,
            );
        }
    }
}
