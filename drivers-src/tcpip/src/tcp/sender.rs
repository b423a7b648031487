//! The send half of a connection: segments, and keeping data until it is acknowledged.

use core::ptr::{null_mut, write_unaligned};

use nt::ex;
use nt::types::*;

use super::connection::Connection;
use super::deferred::Deferred;
use super::receiver;
use super::tuple::Tuple;
use crate::checksum::Sum;
use crate::ip::output;
use crate::link::frame::Frame;
use crate::seq::{before, not_after};
use crate::wire::*;

const TAG: u32 = tag(b"TcpS");
const HEADER: u32 = size_of::<Tcp>() as u32;
/// The option by which each side says what fits into a segment (RFC 793): kind 2, length 4.
const MSS_OPTION: u32 = 4;
/// What fits into an Ethernet frame.
pub const MSS: u16 = 1460;
/// What a peer takes that does not say (RFC 1122, 4.2.2.6).
pub const MSS_DEFAULT: u16 = 536;
/// Unacknowledged and unsent data of a connection at most, in bytes.
const QUEUED_MAX: u32 = 64 * 1024;

/// Data to be sent, or sent and not acknowledged; the bytes follow.
#[repr(C)]
pub struct Block {
    next: *mut Block,
    seq: u32,
    length: u32,
    flags: u8,
}

/// Sent data and where it stands.
#[repr(C)]
pub struct Sender {
    /// The oldest number that is not acknowledged.
    pub unacknowledged: u32,
    /// The next number to be sent.
    pub next: u32,
    /// How far from `unacknowledged` on the peer takes bytes.
    pub window: u32,
    /// The most bytes that the peer takes in a segment.
    pub mss: u16,
    /// The number behind the last queued byte.
    end: u32,
    first: *mut Block,
    last: *mut Block,
    /// The first block that was never sent, or null.
    unsent: *mut Block,
    /// Bytes in all blocks.
    queued: u32,
    /// Timer ticks until the oldest block is sent again; 0 if nothing is under way.
    pub ticks: u32,
    /// How often it was sent again.
    pub retries: u32,
}

/// The send half before the SYN, whose number is `initial`.
pub fn new(initial: u32, window: u32, mss: u16) -> Sender {
    Sender {
        unacknowledged: initial,
        next: initial,
        window,
        mss,
        end: initial,
        first: null_mut(),
        last: null_mut(),
        unsent: null_mut(),
        queued: 0,
        ticks: 0,
        retries: 0,
    }
}

impl Sender {
    /// Counts the SYN, which takes a number and is not queued.
    pub fn syn_sent(&mut self) {
        self.next = self.next.wrapping_add(1);
        self.end = self.next;
    }

    /// Whether data is under way or waits.
    pub fn busy(&self) -> bool {
        !self.first.is_null()
    }
}

/// Queues `length` bytes of an MDL chain; `false` if there is no room or no memory, and then
/// nothing is queued. `length` is at most what the chain describes. The lock is held.
pub unsafe fn queue(sender: *mut Sender, mdl: *mut MDL, length: u32, urgent: bool) -> bool {
    unsafe {
        if (*sender).queued.saturating_add(length) > QUEUED_MAX {
            return false;
        }
        let (mut blocks, mut offset) = (null_mut::<Block>(), 0);
        let mut link: *mut *mut Block = &mut blocks;
        while offset < length {
            let size = (length - offset).min(u32::from((*sender).mss));
            let block = new_block(size);
            if block.is_null() {
                free_all(blocks);
                return false;
            }
            gather(mdl, offset, block.add(1).cast(), size);
            offset += size;
            let last = offset == length;
            (*block).flags = if last { PSH } else { 0 } | if last && urgent { URG } else { 0 };
            *link = block;
            link = &raw mut (*block).next;
        }
        append(sender, blocks);
        true
    }
}

/// Queues the end of the stream; `false` if there is no memory.
pub unsafe fn queue_end(sender: *mut Sender) -> bool {
    unsafe {
        let block = new_block(0);
        if block.is_null() {
            return false;
        }
        (*block).flags = FIN;
        append(sender, block);
        true
    }
}

/// Sends what the peer's window lets go. The lock is held.
pub unsafe fn push(connection: *mut Connection, deferred: &mut Deferred) {
    unsafe {
        let sender = &raw mut (*connection).sender;
        while !(*sender).unsent.is_null() {
            let block = (*sender).unsent;
            let under_way = (*sender).next.wrapping_sub((*sender).unacknowledged);
            if under_way + (*block).length > (*sender).window {
                break;
            }
            (*sender).unsent = (*block).next;
            (*sender).next = (*block).seq.wrapping_add(numbers(block));
            transmit(connection, block, deferred);
        }
    }
}

/// The peer acknowledges all numbers before `number`, which were sent.
pub unsafe fn acknowledged(sender: *mut Sender, number: u32) {
    unsafe {
        (*sender).unacknowledged = number;
        (*sender).retries = 0;
        while !(*sender).first.is_null() && (*sender).first != (*sender).unsent {
            let block = (*sender).first;
            if !not_after((*block).seq.wrapping_add(numbers(block)), number) {
                break;
            }
            (*sender).first = (*block).next;
            (*sender).queued -= (*block).length;
            ex::free(block);
        }
        (*sender).ticks = if (*sender).first.is_null() {
            0
        } else {
            super::timer::first_wait()
        };
    }
}

/// Sends the oldest block again, or, with a shut window, for the first time to probe it.
pub unsafe fn send_again(connection: *mut Connection, deferred: &mut Deferred) {
    unsafe {
        let sender = &raw mut (*connection).sender;
        let block = (*sender).first;
        if block.is_null() {
            return;
        }
        if block == (*sender).unsent {
            (*sender).unsent = (*block).next;
            (*sender).next = (*block).seq.wrapping_add(numbers(block));
        }
        transmit(connection, block, deferred);
    }
}

/// Whether the end of the stream was queued and is acknowledged.
pub fn all_acknowledged(sender: &Sender) -> bool {
    sender.first.is_null() && !before(sender.unacknowledged, sender.end)
}

/// Forgets all data.
pub unsafe fn clear(sender: &mut Sender) {
    unsafe { free_all(sender.first) };
    (sender.first, sender.last, sender.unsent) = (null_mut(), null_mut(), null_mut());
    sender.queued = 0;
    sender.ticks = 0;
}

/// Sends a segment without data that says where the connection stands.
pub unsafe fn acknowledge(connection: *mut Connection, deferred: &mut Deferred) {
    unsafe {
        let next = (*connection).sender.next;
        deferred.send(segment(connection, next, ACK, null_mut(), 0));
    }
}

/// Sends the SYN that answers the peer's.
pub unsafe fn synchronize(connection: *mut Connection, deferred: &mut Deferred) {
    unsafe {
        let initial = (*connection).sender.unacknowledged;
        deferred.send(segment(connection, initial, SYN | ACK, null_mut(), 0));
        (*connection).sender.ticks = super::timer::first_wait();
    }
}

/// Breaks the connection off for the peer.
pub unsafe fn reset(connection: *mut Connection, deferred: &mut Deferred) {
    unsafe {
        let next = (*connection).sender.next;
        deferred.send(segment(connection, next, RST | ACK, null_mut(), 0));
    }
}

/// Answers a segment for which there is no connection (RFC 793, page 36): `header` has it, with
/// `length` sequence numbers.
pub unsafe fn refuse(tuple: &Tuple, header: &Tcp, length: u32, deferred: &mut Deferred) {
    unsafe {
        let (seq, ack, flags) = if header.flags & ACK != 0 {
            (header.ack.get(), 0, RST)
        } else {
            (0, header.seq.get().wrapping_add(length), RST | ACK)
        };
        deferred.send(build(tuple, seq, ack, flags, 0, 0, null_mut(), 0));
    }
}

unsafe fn transmit(connection: *mut Connection, block: *mut Block, deferred: &mut Deferred) {
    unsafe {
        let flags = (*block).flags | ACK;
        let bytes = block.add(1).cast();
        deferred.send(segment(
            connection,
            (*block).seq,
            flags,
            bytes,
            (*block).length,
        ));
        if (*connection).sender.ticks == 0 {
            (*connection).sender.ticks = super::timer::first_wait();
        }
    }
}

unsafe fn segment(
    connection: *mut Connection,
    seq: u32,
    flags: u8,
    data: *const u8,
    length: u32,
) -> *mut Frame {
    unsafe {
        let receiver = &(*connection).receiver;
        let window = receiver::window(receiver) as u16;
        // BSD's reading: the pointer names the byte behind the urgent one, the last of the block.
        let urgent = if flags & URG != 0 { length as u16 } else { 0 };
        build(
            &(*connection).tuple,
            seq,
            receiver.next,
            flags,
            window,
            urgent,
            data,
            length,
        )
    }
}

#[expect(clippy::too_many_arguments)]
unsafe fn build(
    tuple: &Tuple,
    seq: u32,
    ack: u32,
    flags: u8,
    window: u16,
    urgent: u16,
    data: *const u8,
    length: u32,
) -> *mut Frame {
    unsafe {
        let options = if flags & SYN != 0 { MSS_OPTION } else { 0 };
        let total = HEADER + options + length;
        let frame = output::datagram(tuple.local, tuple.remote, PROTOCOL_TCP, total);
        if frame.is_null() {
            return frame;
        }
        let start = output::payload(frame);
        let mut header = Tcp {
            source: tuple.local_port.into(),
            destination: tuple.remote_port.into(),
            seq: seq.into(),
            ack: ack.into(),
            offset: (((HEADER + options) / 4) as u8) << 4,
            flags,
            window: window.into(),
            checksum: 0.into(),
            urgent: urgent.into(),
        };
        write_unaligned(start.cast(), header);
        let behind = start.add(HEADER as usize);
        if options != 0 {
            let [high, low] = MSS.to_be_bytes();
            write_unaligned(behind.cast(), [2, MSS_OPTION as u8, high, low]);
        }
        if length != 0 {
            let to = behind.add(options as usize);
            core::ptr::copy_nonoverlapping(data, to, length as usize);
        }
        let bytes = core::slice::from_raw_parts(start, total as usize);
        let sum = pseudo_header(tuple.local, tuple.remote, total).over(bytes);
        header.checksum = sum.finish().into();
        write_unaligned(start.cast(), header);
        frame
    }
}

/// The sum of what TCP's checksum covers beside the segment (RFC 793, page 16).
pub fn pseudo_header(source: u32, destination: u32, length: u32) -> Sum {
    Sum::ZERO
        .over(&source.to_be_bytes())
        .over(&destination.to_be_bytes())
        .over(&[0, PROTOCOL_TCP])
        .over(&(length as u16).to_be_bytes())
}

/// The sequence numbers that a block takes.
unsafe fn numbers(block: *const Block) -> u32 {
    unsafe { (*block).length + u32::from((*block).flags & FIN != 0) }
}

unsafe fn new_block(length: u32) -> *mut Block {
    unsafe {
        let bytes = size_of::<Block>() + length as usize;
        let block: *mut Block = ex::allocate_bytes(bytes, TAG).cast();
        if !block.is_null() {
            block.write(Block {
                next: null_mut(),
                seq: 0,
                length,
                flags: 0,
            });
        }
        block
    }
}

unsafe fn append(sender: *mut Sender, mut block: *mut Block) {
    unsafe {
        while !block.is_null() {
            (*block).seq = (*sender).end;
            (*sender).end = (*sender).end.wrapping_add(numbers(block));
            (*sender).queued += (*block).length;
            if (*sender).first.is_null() {
                (*sender).first = block;
            } else {
                (*(*sender).last).next = block;
            }
            if (*sender).unsent.is_null() {
                (*sender).unsent = block;
            }
            (*sender).last = block;
            block = (*block).next;
        }
    }
}

unsafe fn free_all(mut block: *mut Block) {
    unsafe {
        while !block.is_null() {
            let next = (*block).next;
            ex::free(block);
            block = next;
        }
    }
}

/// Copies `length` bytes from `offset` of an MDL chain on.
unsafe fn gather(mut mdl: *mut MDL, mut offset: u32, to: *mut u8, length: u32) {
    use nt::mm::{MmGetMdlByteCount, MmGetSystemAddressForMdl};
    let mut done = 0;
    unsafe {
        while done < length && !mdl.is_null() {
            let size = MmGetMdlByteCount(mdl);
            if offset < size {
                let now = (size - offset).min(length - done);
                let from = MmGetSystemAddressForMdl(mdl).add(offset as usize);
                core::ptr::copy_nonoverlapping(from, to.add(done as usize), now as usize);
                done += now;
                offset = 0;
            } else {
                offset -= size;
            }
            mdl = (*mdl).Next;
        }
    }
}
