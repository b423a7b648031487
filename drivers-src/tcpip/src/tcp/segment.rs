//! A piece of the byte stream on its way from the wire to the client.

use core::ptr::null_mut;

use crate::ipr::{self, Chain};

/// The payload of one TCP segment.
///
/// The bytes of `chain` are the bytes `seq..seq + size` of the stream, neither more nor fewer.
pub struct Segment {
    /// The next one in the reassembly queue.
    pub next: *mut Segment,
    /// Sequence number of the first byte.
    pub seq: u32,
    /// Number of bytes.
    pub size: u32,
    /// Where the urgent byte is, counted from the front of this segment. It may lie behind the
    /// segment's end: the pointer then announces a byte of a later one.
    pub urgent: Option<u32>,
    /// The stream ends behind the last byte.
    pub fin: bool,
    /// The bytes.
    pub chain: Chain,
}

impl Segment {
    /// The sequence number behind the last byte.
    pub const fn end(&self) -> u32 {
        self.seq.wrapping_add(self.size)
    }

    /// Cuts `bytes` bytes, at most all, off the front; gives the pieces that fell off. An urgent
    /// byte among them is not urgent any more: it has been received already.
    pub unsafe fn trim_front(&mut self, bytes: u32) -> Chain {
        self.seq = self.seq.wrapping_add(bytes);
        self.size -= bytes;
        self.urgent = self.urgent.and_then(|at| at.checked_sub(bytes));
        unsafe { ipr::trim_front(&mut self.chain, bytes) }
    }

    /// Cuts `bytes` bytes, at most all, off the back, and with them the end of the stream; gives
    /// the pieces that fell off.
    pub unsafe fn trim_back(&mut self, bytes: u32) -> Chain {
        if bytes == 0 {
            return null_mut();
        }
        self.size -= bytes;
        self.fin = false;
        unsafe { ipr::truncate(&mut self.chain, self.size) }
    }
}

/// What queue operations have no more use for, for the caller to free.
pub struct Scrap {
    /// Pieces.
    pub pieces: Chain,
    /// Segments, linked by `next`; their chains are in `pieces`.
    pub segments: *mut Segment,
}

impl Scrap {
    /// Nothing to free.
    pub const NOTHING: Scrap = Scrap {
        pieces: null_mut(),
        segments: null_mut(),
    };

    /// Adds pieces.
    pub unsafe fn pieces(&mut self, more: Chain) {
        unsafe { ipr::append(&mut self.pieces, more) }
    }

    /// Adds a segment and its bytes.
    pub unsafe fn segment(&mut self, segment: *mut Segment) {
        unsafe {
            let chain = core::mem::replace(&mut (*segment).chain, null_mut());
            self.pieces(chain);
            (*segment).next = self.segments;
        }
        self.segments = segment;
    }
}
