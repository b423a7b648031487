//! Segments that came in: the SEGMENT ARRIVES part of RFC 793, section 3.9.

use core::ptr::null_mut;

use nt::status::{STATUS_CONNECTION_RESET, STATUS_SUCCESS};
use nt::types::{NTSTATUS, tag};

use super::connection::{self, Connection, State, lock};
use super::deferred::Deferred;
use super::receiver::{self, Ending};
use super::segment::Segment;
use super::tuple::Tuple;
use super::{deliver, handshake, sender, table, timer, urgent};
use crate::config;
use crate::ipr::{self, Chain, Queue};
use crate::link::packet;
use crate::seq::{acceptable, before, not_after};
use crate::wire::*;
use nt::rundown;

const TAG: u32 = tag(b"TcpG");

/// What a segment's header says.
pub struct Arrival {
    /// The two ends.
    pub tuple: Tuple,
    /// The header.
    pub header: Tcp,
    /// Bytes of data behind it.
    pub size: u32,
    /// The most that the sender takes in a segment, if this is a SYN.
    pub mss: u16,
}

impl Arrival {
    fn has(&self, flag: u8) -> bool {
        self.header.flags & flag != 0
    }

    /// The sequence numbers that the segment takes.
    pub fn numbers(&self) -> u32 {
        self.size + u32::from(self.has(SYN)) + u32::from(self.has(FIN))
    }
}

/// A segment for this machine. The chain is this function's. IRQL DISPATCH.
pub unsafe fn receive(ip: &Ipv4, mut chain: Chain) {
    unsafe {
        let Some(arrival) = check(ip, chain) else {
            return packet::free(chain);
        };
        packet::free(ipr::trim_front(&mut chain, arrival.header.header_length()));
        let connection = table::find(&arrival.tuple);
        if connection.is_null() {
            packet::free(chain);
            return handshake::without_connection(&arrival);
        }
        arrives(connection, &arrival, chain);
        rundown::release(&raw mut (*connection).users);
    }
}

/// Checks a segment; `None` if it is to be dropped.
unsafe fn check(ip: &Ipv4, chain: Chain) -> Option<Arrival> {
    unsafe {
        let header = ipr::peek::<Tcp>(chain, 0)?;
        let total = ipr::total(chain);
        let length = header.header_length();
        let (remote, local) = (ip.source.get(), ip.destination.get());
        if length < size_of::<Tcp>() as u32
            || length > total
            || header.source.get() == 0
            || header.destination.get() == 0
            || ipr::sum(chain, sender::pseudo_header(remote, local, total)).finish() != 0
        {
            return None;
        }
        let tuple = Tuple {
            local,
            remote,
            local_port: header.destination.get(),
            remote_port: header.source.get(),
        };
        let mss = if header.flags & SYN != 0 {
            mss_option(chain, length)
        } else {
            0
        };
        Some(Arrival {
            tuple,
            header,
            size: total - length,
            mss,
        })
    }
}

/// The maximum segment size among the options of a header of `length` bytes, or the default.
unsafe fn mss_option(chain: Chain, length: u32) -> u16 {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const MSS: u8 = 2;
    let mut at = size_of::<Tcp>() as u32;
    unsafe {
        while at < length {
            let Some(kind) = ipr::peek::<u8>(chain, at) else {
                break;
            };
            if kind == NOTHING {
                at += 1;
                continue;
            }
            let Some(size) = ipr::peek::<u8>(chain, at + 1) else {
                break;
            };
            if kind == END || size < 2 || at + u32::from(size) > length {
                break;
            }
            if kind == MSS && size == 4 {
                let value = ipr::peek::<Be16>(chain, at + 2).map_or(0, Be16::get);
                return value.clamp(64, sender::MSS);
            }
            at += u32::from(size);
        }
    }
    sender::MSS_DEFAULT
}

/// A segment of a connection, which the caller uses.
unsafe fn arrives(connection: *mut Connection, arrival: &Arrival, mut chain: Chain) {
    unsafe {
        let (mut deferred, mut ready) = (Deferred::NOTHING, Queue::EMPTY);
        lock(connection);
        if (*connection).tuple != arrival.tuple || (*connection).state == State::Closed {
            // It was closed, or is somebody else's now, since the table was looked up.
            if !arrival.has(RST) {
                sender::refuse(
                    &arrival.tuple,
                    &arrival.header,
                    arrival.numbers(),
                    &mut deferred,
                );
            }
        } else {
            process(connection, arrival, &mut chain, &mut ready, &mut deferred);
        }
        deferred.scrap.pieces(chain);
        deliver::finish(connection, ready, &mut deferred);
    }
}

/// What a segment does to a connection that is not closed. The lock is held. The bytes are taken
/// from `chain` if they are of use.
unsafe fn process(
    connection: *mut Connection,
    arrival: &Arrival,
    chain: &mut Chain,
    ready: &mut Queue,
    deferred: &mut Deferred,
) {
    unsafe {
        let header = &arrival.header;
        let next = (*connection).receiver.next;
        if (*connection).state == State::SynReceived
            && arrival.has(SYN)
            && header.seq.get().wrapping_add(1) == next
        {
            return sender::synchronize(connection, deferred);
        }
        let window = receiver::window(&(*connection).receiver);
        if !acceptable(header.seq.get(), arrival.numbers(), next, window) {
            if !arrival.has(RST) {
                sender::acknowledge(connection, deferred);
            }
            return;
        }
        if arrival.has(RST) {
            return abort(connection, STATUS_CONNECTION_RESET, deferred);
        }
        if arrival.has(SYN) {
            sender::reset(connection, deferred);
            return abort(connection, STATUS_CONNECTION_RESET, deferred);
        }
        if !arrival.has(ACK) || !acknowledgement(connection, arrival, deferred) {
            return;
        }
        data(connection, arrival, chain, ready, deferred);
    }
}

/// Breaks a connection off and lets the client know if it has ever had it.
pub unsafe fn abort(connection: *mut Connection, status: NTSTATUS, deferred: &mut Deferred) {
    unsafe {
        if (*connection).state != State::SynReceived {
            (*connection).receiver.ending = Ending::Abort;
        }
        connection::close(connection, status, deferred);
    }
}

/// The acknowledgement in a segment; gives whether the rest of it counts.
unsafe fn acknowledgement(
    connection: *mut Connection,
    arrival: &Arrival,
    deferred: &mut Deferred,
) -> bool {
    unsafe {
        let sender = &raw mut (*connection).sender;
        let ack = arrival.header.ack.get();
        if (*connection).state == State::SynReceived {
            if ack != (*sender).next {
                sender::refuse(&arrival.tuple, &arrival.header, arrival.numbers(), deferred);
                return false;
            }
            (*connection).state = State::Established;
            let opening = core::mem::replace(&mut (*connection).opening, null_mut());
            deferred.complete(opening, STATUS_SUCCESS, 0);
        }
        if before((*sender).next, ack) {
            sender::acknowledge(connection, deferred);
            return false;
        }
        if not_after((*sender).unacknowledged, ack) {
            (*sender).window = u32::from(arrival.header.window.get());
            if before((*sender).unacknowledged, ack) {
                sender::acknowledged(sender, ack);
            }
        }
        if sender::all_acknowledged(&*sender) {
            match (*connection).state {
                State::FinWait1 => (*connection).state = State::FinWait2,
                State::Closing => timer::wait_before_closing(connection),
                State::LastAck => {
                    connection::close(connection, STATUS_SUCCESS, deferred);
                    return false;
                }
                _ => {}
            }
        }
        sender::push(connection, deferred);
        true
    }
}

/// The data in a segment, its urgent pointer and the end of the stream.
unsafe fn data(
    connection: *mut Connection,
    arrival: &Arrival,
    chain: &mut Chain,
    ready: &mut Queue,
    deferred: &mut Deferred,
) {
    unsafe {
        let receiving = matches!(
            (*connection).state,
            State::Established | State::FinWait1 | State::FinWait2
        );
        let urgent = if arrival.has(URG) {
            urgent::offset(
                arrival.header.urgent.get(),
                config::settings().rfc1122_urgent,
            )
        } else {
            None
        };
        let (seq, fin) = (arrival.header.seq.get(), arrival.has(FIN));
        if arrival.size == 0 && !fin {
            if let (true, Some(at)) = (receiving, urgent) {
                let receiver = &raw mut (*connection).receiver;
                (*receiver)
                    .urgent
                    .note(seq.wrapping_add(at), (*receiver).next);
            }
            return;
        }
        if !receiving {
            return sender::acknowledge(connection, deferred);
        }
        let segment: *mut Segment = nt::ex::allocate_bytes(size_of::<Segment>(), TAG).cast();
        if segment.is_null() {
            // As good as lost on the wire: the peer sends it again.
            return;
        }
        segment.write(Segment {
            next: null_mut(),
            seq,
            size: arrival.size,
            urgent,
            fin,
            chain: core::mem::replace(chain, null_mut()),
        });
        let receiver = &raw mut (*connection).receiver;
        let spare = packet::spare_piece;
        if receiver::take_in(receiver, segment, spare, ready, &mut deferred.scrap) {
            (*receiver).ending = Ending::Release;
            match (*connection).state {
                State::Established => (*connection).state = State::CloseWait,
                State::FinWait1 => (*connection).state = State::Closing,
                _ => timer::wait_before_closing(connection),
            }
        }
        sender::acknowledge(connection, deferred);
    }
}
