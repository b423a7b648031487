//! Opening a connection that a peer asks for.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};

use nt::io;
use nt::status::{STATUS_CONNECTION_ACTIVE, STATUS_INVALID_CONNECTION};
use nt::tdi::TDI_CONNECTION_FILE;
use nt::types::IRP;

use super::connection::{Connection, State, lock, unlock};
use super::deferred::Deferred;
use super::input::Arrival;
use super::{receiver, sender, table};
use crate::tdi::address::{self, Address};
use crate::tdi::events;
use crate::wire::{ACK, RST, SYN};
use nt::rundown;

/// The initial sequence numbers of successive connections are this far apart. That is how stacks
/// of the time did it, and why it could be guessed (RFC 6528 says what to do instead).
const INITIAL_STEP: u32 = 64_000;

static INITIAL: AtomicU32 = AtomicU32::new(INITIAL_STEP);

/// A segment for which there is no connection: a SYN for a listening address opens one, anything
/// else but a RST is refused.
pub unsafe fn without_connection(arrival: &Arrival) {
    unsafe {
        match arrival.header.flags & (SYN | ACK | RST) {
            SYN => open(arrival),
            flags if flags & RST != 0 => {}
            _ => refuse(arrival),
        }
    }
}

unsafe fn open(arrival: &Arrival) {
    unsafe {
        let tuple = &arrival.tuple;
        let address = address::find(tuple.local, tuple.local_port);
        if address.is_null() {
            return refuse(arrival);
        }
        // A second processor with the same SYN, sent again, finds the claim and drops it.
        if table::claim(tuple) {
            let request = events::connect(address, tuple);
            if request.is_null() || !begin(address, request, arrival) {
                refuse(arrival);
            }
            table::unclaim(tuple);
        }
        rundown::release(&raw mut (*address).users);
    }
}

/// Starts the handshake on the connection that an ACCEPT or LISTEN request is for; `false`, and the
/// request completed, if that cannot be.
unsafe fn begin(address: *mut Address, request: *mut IRP, arrival: &Arrival) -> bool {
    unsafe {
        let file = (*io::current_stack(request)).FileObject;
        if file.is_null() || (*file).FsContext2 as usize != TDI_CONNECTION_FILE {
            io::complete(request, STATUS_INVALID_CONNECTION, 0);
            return false;
        }
        let connection: *mut Connection = (*file).FsContext.cast();
        let mut deferred = Deferred::NOTHING;
        lock(connection);
        let idle = matches!((*connection).state, State::Closed | State::Listen)
            && !(*connection).receiver.in_delivery
            && !(*connection).abandoned;
        let usable = idle && (*connection).address == address;
        if usable {
            let initial = INITIAL.fetch_add(INITIAL_STEP, Ordering::Relaxed);
            let window = u32::from(arrival.header.window.get());
            (*connection).tuple = arrival.tuple;
            (*connection).receiver = receiver::new(arrival.header.seq.get());
            (*connection).sender = sender::new(initial, window, arrival.mss);
            (*connection).opening = request;
            (*connection).closing = null_mut();
            (*connection).state = State::SynReceived;
            table::insert(connection, &arrival.tuple);
            sender::synchronize(connection, &mut deferred);
            (*connection).sender.syn_sent();
        } else {
            deferred.complete(request, STATUS_CONNECTION_ACTIVE, 0);
        }
        unlock(connection);
        deferred.run();
        usable
    }
}

unsafe fn refuse(arrival: &Arrival) {
    unsafe {
        let mut deferred = Deferred::NOTHING;
        sender::refuse(
            &arrival.tuple,
            &arrival.header,
            arrival.numbers(),
            &mut deferred,
        );
        deferred.run();
    }
}
