//! The connection object: an open connection file, and the state of RFC 793 while it is in use.

use core::ptr::null_mut;

use nt::irp_queue::IrpQueue;
use nt::spin::*;
use nt::status::*;
use nt::types::*;

use super::deferred::Deferred;
use super::receiver::{self, Receiver};
use super::sender::{self, Sender};
use super::table::{self, TableEntry};
use super::tuple::Tuple;
use crate::tdi::address::Address;
use nt::rundown::Rundown;

/// Pool tag of connections.
pub const TAG: u32 = tag(b"TcpC");

/// The states of RFC 793, section 3.2. A connection is in the table in all but the first two.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not in use.
    Closed,
    /// A LISTEN request waits for a peer.
    Listen,
    /// The peer's SYN is answered.
    SynReceived,
    /// Data flows.
    Established,
    /// This side ended first, its FIN is not acknowledged.
    FinWait1,
    /// This side has ended.
    FinWait2,
    /// Both sides ended, our FIN is not acknowledged.
    Closing,
    /// The peer has ended.
    CloseWait,
    /// The peer ended first, our FIN is not acknowledged.
    LastAck,
    /// Both have ended; segments may still be under way.
    TimeWait,
}

/// A connection. The lock guards everything behind it; it is taken at `DISPATCH_LEVEL`.
#[repr(C)]
pub struct Connection {
    /// Its place in the table, guarded by the table's lock.
    pub entry: TableEntry,
    /// Who uses the object, the file being the first.
    pub users: Rundown,
    /// The client's name for the connection.
    pub context: *mut c_void,
    /// Its place among the connections of its address, guarded by the address's lock.
    pub address_link: LIST_ENTRY,
    /// The address it is associated with, or null; written at PASSIVE while nothing runs.
    pub address: *mut Address,
    /// The file of that address, referenced.
    pub address_file: *mut FILE_OBJECT,

    /// Guards what follows.
    pub lock: KSPIN_LOCK,
    /// Where it stands.
    pub state: State,
    /// The last handle of its file is gone: it must not be opened again.
    pub abandoned: bool,
    /// Its two ends.
    pub tuple: Tuple,
    /// The way from the peer to the client.
    pub receiver: Receiver,
    /// The way from the client to the peer.
    pub sender: Sender,
    /// The LISTEN or ACCEPT request that waits for the connection to be established, or null.
    pub opening: *mut IRP,
    /// The DISCONNECT request that waits for its end, or null.
    pub closing: *mut IRP,
}

/// Takes the lock of a connection. IRQL DISPATCH.
pub unsafe fn lock(connection: *mut Connection) {
    unsafe { KeAcquireSpinLockAtDpcLevel(&raw mut (*connection).lock) }
}

/// Releases the lock of a connection and stays at DISPATCH.
pub unsafe fn unlock(connection: *mut Connection) {
    unsafe { KeReleaseSpinLockFromDpcLevel(&raw mut (*connection).lock) }
}

/// Ends the use of a connection: out of the table, requests completed with `status`, everything
/// that waits in it thrown away. The lock is held. The object can be opened again after that.
pub unsafe fn close(connection: *mut Connection, status: NTSTATUS, deferred: &mut Deferred) {
    unsafe {
        if (*connection).state == State::Closed {
            return;
        }
        (*connection).state = State::Closed;
        table::remove(connection);
        deferred.complete(
            core::mem::replace(&mut (*connection).opening, null_mut()),
            status,
            0,
        );
        let closing = core::mem::replace(&mut (*connection).closing, null_mut());
        deferred.complete(closing, STATUS_SUCCESS, 0);
        let mut requests =
            core::mem::replace(&mut (*connection).receiver.requests, IrpQueue::EMPTY);
        loop {
            let irp = requests.pop();
            if irp.is_null() {
                break;
            }
            deferred.complete(irp, status, 0);
        }
        sender::clear(&mut (*connection).sender);
        receiver::clear(&mut (*connection).receiver, &mut deferred.scrap);
    }
}
