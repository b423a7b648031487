//! Handing received bytes to the client.
//!
//! The client is called at `DISPATCH_LEVEL` without any lock, since it will send answers from its
//! handler. One processor at a time does that for a connection.

use nt::io;
use nt::mm::{MmGetMdlByteCount, MmGetSystemAddressForMdl};
use nt::status::STATUS_SUCCESS;
use nt::tdi::{TDI_DISCONNECT_ABORT, TDI_DISCONNECT_RELEASE, TDI_REQUEST_KERNEL_RECEIVE};
use nt::types::IRP;

use super::connection::{Connection, State, lock, unlock};
use super::deferred::Deferred;
use super::receiver::Ending;
use crate::ipr::{self, Chain};
use crate::link::packet;
use crate::tdi::events::{self, Answer};

/// Releases the connection's lock, does what was deferred, and hands over what there is to hand
/// over: first `ready`, then what others put down meanwhile. The caller uses the connection.
pub unsafe fn finish(connection: *mut Connection, ready: ipr::Queue, deferred: &mut Deferred) {
    unsafe {
        let receiver = &raw mut (*connection).receiver;
        let waiting = (*receiver).pending.size != 0
            && (!(*receiver).refused || !(*receiver).requests.is_empty());
        let untold = (*receiver).ending != Ending::None && !(*receiver).ending_told;
        let work = ready.size != 0 || waiting || untold || !(*receiver).urgent.is_empty();
        if (*receiver).in_delivery || !work {
            unlock(connection);
            return deferred.run();
        }
        (*receiver).in_delivery = true;
        unlock(connection);
        deferred.run();

        lock(connection);
        tell_urgent(connection);
        unlock(connection);
        indicate(connection, ready.head, ready.size);
        lock(connection);
        loop {
            tell_urgent(connection);
            drain(connection);
            if !tell_ending(connection) && (*receiver).urgent.is_empty() {
                break;
            }
        }
        (*receiver).in_delivery = false;
        unlock(connection);
    }
}

/// Hands `left` bytes to the client: a chain that only this processor knows. No lock is held.
unsafe fn indicate(connection: *mut Connection, mut chain: Chain, mut left: u32) {
    unsafe {
        while left != 0 && !chain.is_null() {
            let size = (*chain).ipr_size.min(left);
            let taken = offer(connection, (*chain).ipr_buffer, size, left);
            left -= taken;
            if taken < size {
                ipr::advance(chain, taken);
                return put_back(connection, chain, left);
            }
            let rest = (*chain).ipr_next;
            (*chain).ipr_next = core::ptr::null_mut();
            packet::free(chain);
            chain = rest;
        }
        packet::free(chain);
    }
}

/// Keeps the `left` bytes that the client did not want now, ahead of all that came meanwhile.
unsafe fn put_back(connection: *mut Connection, mut chain: Chain, left: u32) {
    unsafe {
        let excess = ipr::truncate(&mut chain, left);
        lock(connection);
        (*connection).receiver.pending.put_back(chain, left);
        unlock(connection);
        packet::free(excess);
    }
}

/// Hands over what other processors put down while this one was in a call of the client. The lock
/// is held on entry and on return, and free in between.
#[inline(never)]
unsafe fn drain(connection: *mut Connection) {
    unsafe {
        let receiver = &raw mut (*connection).receiver;
        let pending = &raw mut (*receiver).pending;
        // Others append while the client is called: the size tells when nothing is left.
        while (*pending).size != 0 && (*connection).state != State::Closed {
            let piece = (*pending).head;
            let (buffer, size) = ((*piece).ipr_buffer, (*piece).ipr_size);
            let available = (*pending).size;
            unlock(connection);
            let taken = offer(connection, buffer, size, available);
            lock(connection);
            if taken == size {
                let done = (*pending).pop();
                unlock(connection);
                packet::free(done);
                lock(connection);
                tell_urgent(connection);
            } else {
                (*pending).consume(taken);
                if (*receiver).refused {
                    return;
                }
            }
        }
        if (*connection).state == State::Closed {
            let rest = (*pending).take_all();
            unlock(connection);
            packet::free(rest);
            lock(connection);
        }
    }
}

/// Hands the urgent bytes over. The lock is held on entry and on return, and free in between.
unsafe fn tell_urgent(connection: *mut Connection) {
    unsafe {
        while let Some(byte) = (*connection).receiver.urgent.pop() {
            unlock(connection);
            events::receive_expedited(connection, byte);
            lock(connection);
        }
    }
}

/// Tells the client once how the stream ended, when it has had all bytes; gives whether it did so
/// now. The lock is held on entry and on return, and free in between.
unsafe fn tell_ending(connection: *mut Connection) -> bool {
    unsafe {
        let receiver = &raw mut (*connection).receiver;
        let flags = match (*receiver).ending {
            Ending::Abort => TDI_DISCONNECT_ABORT,
            Ending::Release if (*receiver).pending.size == 0 => TDI_DISCONNECT_RELEASE,
            _ => return false,
        };
        if (*receiver).ending_told {
            return false;
        }
        (*receiver).ending_told = true;
        unlock(connection);
        events::disconnect(connection, flags);
        lock(connection);
        true
    }
}

/// Offers `size` bytes, of `available` in all, to whoever asked first: RECEIVE requests, then the
/// event handler. Gives how many were taken. No lock is held.
unsafe fn offer(connection: *mut Connection, buffer: *mut u8, size: u32, available: u32) -> u32 {
    unsafe {
        let receiver = &raw mut (*connection).receiver;
        let mut taken = 0;
        while taken < size {
            let bytes = buffer.add(taken as usize);
            let (left, available) = (size - taken, available.wrapping_sub(taken));
            lock(connection);
            let request = (*receiver).requests.pop();
            let refused = (*receiver).refused;
            unlock(connection);
            if !request.is_null() {
                taken += fill(request, bytes, left);
                continue;
            }
            if refused {
                break;
            }
            match events::receive(connection, bytes, left, available) {
                Answer::Took(bytes) if bytes >= left => taken += left,
                Answer::Took(bytes) => {
                    taken += bytes;
                    lock(connection);
                    (*receiver).refused = (*receiver).requests.is_empty();
                    unlock(connection);
                }
                Answer::TookAndAsks(bytes, request) => {
                    taken += bytes.min(left);
                    lock(connection);
                    (*receiver).requests.push(request);
                    unlock(connection);
                }
            }
        }
        taken
    }
}

/// Copies into a RECEIVE request and completes it; gives how many bytes fitted.
unsafe fn fill(request: *mut IRP, bytes: *const u8, size: u32) -> u32 {
    unsafe {
        let wanted: *const TDI_REQUEST_KERNEL_RECEIVE = io::parameters(io::current_stack(request));
        let size = size.min((*wanted).ReceiveLength);
        let (mut done, mut mdl) = (0, (*request).MdlAddress);
        while done < size && !mdl.is_null() {
            let room = MmGetMdlByteCount(mdl).min(size - done);
            let to = MmGetSystemAddressForMdl(mdl);
            core::ptr::copy_nonoverlapping(bytes.add(done as usize), to, room as usize);
            done += room;
            mdl = (*mdl).Next;
        }
        io::complete(request, STATUS_SUCCESS, done as usize);
        done
    }
}
