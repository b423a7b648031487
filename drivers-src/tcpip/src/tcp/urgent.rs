//! Urgent data: one byte that the peer's urgent pointer names goes to the client by itself.
//!
//! RFC 793 says in one place that the pointer names the byte behind the urgent data and in another
//! the last urgent byte; RFC 1122 decided for the latter, BSD for the former, and BSD's reading won
//! (RFC 6093). Windows follows BSD unless `TcpUseRFC1122UrgentPointer` is set. As in BSD without
//! `SO_OOBINLINE`, exactly one byte is urgent, whatever lies before it.

use nt::ip::IPRcvBuf;

use super::segment::{Scrap, Segment};
use crate::ipr;
use crate::seq::before;

/// Urgent bytes that wait for the client at most; a further one stays in the stream.
const BYTES_MAX: usize = 8;

/// What is urgent in a stream.
#[repr(C)]
pub struct Urgent {
    /// The number of the byte that the peer's pointer names, until that byte is received.
    mark: Option<u32>,
    count: usize,
    bytes: [u8; BYTES_MAX],
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

impl Urgent {
    /// Nothing is urgent.
    pub const NONE: Urgent = Urgent {
        mark: None,
        count: 0,
        bytes: [0; BYTES_MAX],
    };

    /// Whether no urgent byte waits for the client.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes the oldest urgent byte.
    pub fn pop(&mut self) -> Option<u8> {
        let (&first, _) = self.bytes.get(..self.count)?.split_first()?;
        self.bytes.copy_within(1.., 0);
        self.count -= 1;
        Some(first)
    }

    /// Notes that the byte with this number is urgent, if it is still to come: `next` is the next
    /// byte expected.
    pub fn note(&mut self, number: u32, next: u32) {
        if !before(number, next) {
            self.mark = Some(number);
        }
    }

    /// Takes the urgent byte out of a segment whose turn it is, if it is in it. `spare` gives a
    /// piece descriptor, or null; without one the byte stays in the stream, which loses nothing.
    pub unsafe fn extract(
        &mut self,
        segment: &mut Segment,
        spare: unsafe fn() -> *mut IPRcvBuf,
        scrap: &mut Scrap,
    ) {
        if let Some(at) = segment.urgent {
            self.mark = Some(segment.seq.wrapping_add(at));
        }
        let Some(mark) = self.mark else { return };
        let at = mark.wrapping_sub(segment.seq);
        if at >= segment.size {
            return;
        }
        self.mark = None;
        let Some(place) = self.bytes.get_mut(self.count) else {
            return;
        };
        unsafe {
            let spare = spare();
            if spare.is_null() {
                return;
            }
            let (byte, empty) = ipr::take_byte(&mut segment.chain, at, spare);
            scrap.pieces(empty);
            *place = byte;
        }
        segment.size -= 1;
        self.count += 1;
    }
}
