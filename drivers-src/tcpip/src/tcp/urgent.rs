//! Urgent data: one byte that the peer's urgent pointer names goes to the client by itself.
//!
//! RFC 793 says in one place that the pointer names the byte behind the urgent data and in another
//! the last urgent byte; RFC 1122 decided for the latter, BSD for the former, and BSD's reading won
//! (RFC 6093). Windows follows BSD unless `TcpUseRFC1122UrgentPointer` is set. As in BSD without
//! `SO_OOBINLINE`, exactly one byte is urgent, whatever lies before it.

use super::receiver::Receiver;
use super::segment::{Scrap, Segment};
use crate::ipr;
use crate::link::packet;
use crate::seq::before;

/// Urgent bytes that wait for the client at most; a further one stays in the stream.
const BYTES_MAX: usize = 8;

/// Urgent bytes in the order of their arrival.
#[repr(C)]
pub struct Bytes {
    count: usize,
    bytes: [u8; BYTES_MAX],
}

impl Bytes {
    /// No urgent byte.
    pub const NONE: Bytes = Bytes {
        count: 0,
        bytes: [0; BYTES_MAX],
    };

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<u8> {
        if self.count == 0 {
            return None;
        }
        let byte = self.bytes[0];
        self.bytes.copy_within(1.., 0);
        self.count -= 1;
        Some(byte)
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.count) {
            *place = byte;
            self.count += 1;
        }
    }
}

/// Where the urgent byte of a segment is, from its first byte on, by the header's pointer. With
/// BSD's reading a pointer of 0 names a byte before the segment, hence none.
pub fn offset(pointer: u16, rfc1122: bool) -> Option<u32> {
    let pointer = u32::from(pointer);
    if rfc1122 {
        Some(pointer)
    } else {
        pointer.checked_sub(1)
    }
}

/// Notes that the byte with this number is urgent, if it is still to come.
pub fn note(receiver: &mut Receiver, number: u32) {
    if !before(number, receiver.next) {
        receiver.mark = Some(number);
    }
}

/// Takes the urgent byte out of a segment whose turn it is, if it is in it.
pub unsafe fn extract(receiver: *mut Receiver, segment: *mut Segment, scrap: &mut Scrap) {
    unsafe {
        if let Some(at) = (*segment).urgent {
            (*receiver).mark = Some((*segment).seq.wrapping_add(at));
        }
        let Some(mark) = (*receiver).mark else { return };
        let at = mark.wrapping_sub((*segment).seq);
        if at >= (*segment).size {
            return;
        }
        (*receiver).mark = None;
        if (*receiver).urgent.count == BYTES_MAX {
            return;
        }
        let spare = packet::spare_piece();
        if spare.is_null() {
            // Without memory the byte stays where it is: in the stream, and not lost.
            return;
        }
        let (byte, empty) = ipr::take_byte(&mut (*segment).chain, at, spare);
        scrap.pieces(empty);
        (*segment).size -= 1;
        (*receiver).urgent.push(byte);
    }
}
