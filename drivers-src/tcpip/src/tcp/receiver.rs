//! The receive half of a connection: from segments to bytes in order.

use core::ptr::null_mut;

use nt::ip::IPRcvBuf;
use nt::irp_queue::IrpQueue;

use super::reasm;
use super::segment::{Scrap, Segment};
use super::urgent::Urgent;
use crate::ipr;
use crate::seq::before;

/// The receive window of NT 4.0 on Ethernet: six segments of 1460 bytes.
pub const WINDOW: u32 = 8760;

/// How the stream ended, for the client.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ending {
    /// It has not.
    None,
    /// The peer has sent all.
    Release,
    /// The connection broke.
    Abort,
}

/// Received data and where it stands.
///
/// While one processor is in a call of the client the connection is `in_delivery`, its lock free.
/// Others go on taking segments in; what becomes ready meanwhile waits in `pending` for the
/// processor that is already there, so that the client sees the bytes in order.
#[repr(C)]
pub struct Receiver {
    /// The next byte expected.
    pub next: u32,
    /// Segments that came before their turn.
    pub queue: *mut Segment,
    /// What is urgent, and urgent bytes for the client.
    pub urgent: Urgent,
    /// Bytes in order that the client has not had.
    pub pending: ipr::Queue,
    /// Some processor is handing bytes to the client.
    pub in_delivery: bool,
    /// The client took less than it was shown and will ask for the rest.
    pub refused: bool,
    /// RECEIVE requests.
    pub requests: IrpQueue,
    /// How the stream ended.
    pub ending: Ending,
    /// The client knows.
    pub ending_told: bool,
}

/// The receive half before the peer's first segment, whose number is `initial`.
pub fn new(initial: u32) -> Receiver {
    Receiver {
        next: initial.wrapping_add(1),
        queue: null_mut(),
        urgent: Urgent::NONE,
        pending: ipr::Queue::EMPTY,
        in_delivery: false,
        refused: false,
        requests: IrpQueue::EMPTY,
        ending: Ending::None,
        ending_told: false,
    }
}

/// The window to tell the peer: what the client has not taken is not free.
pub fn window(receiver: &Receiver) -> u32 {
    WINDOW.saturating_sub(receiver.pending.size)
}

/// Where piece descriptors come from; null if there is no memory.
pub type Spare = unsafe fn() -> *mut IPRcvBuf;

/// Takes in a segment that lies at least partly in the window. What can go to the client at once is
/// put to `ready`; what has to wait behind other bytes is put to the pending queue. Gives whether
/// the end of the stream was reached. The connection's lock is held.
pub unsafe fn take_in(
    receiver: *mut Receiver,
    segment: *mut Segment,
    spare: Spare,
    ready: &mut ipr::Queue,
    scrap: &mut Scrap,
) -> bool {
    unsafe {
        let next = (*receiver).next;
        if before((*segment).seq, next) {
            // The window check left at least the last byte, or the end of the stream.
            let known = next.wrapping_sub((*segment).seq).min((*segment).size);
            scrap.pieces((*segment).trim_front(known));
        }
        let limit = next.wrapping_add(window(&*receiver));
        if before(limit, (*segment).end()) {
            let beyond = (*segment).end().wrapping_sub(limit).min((*segment).size);
            scrap.pieces((*segment).trim_back(beyond));
        }
        if (*segment).size == 0 && !(*segment).fin {
            scrap.segment(segment);
            return false;
        }
        if (*segment).seq != next {
            reasm::insert(&mut (*receiver).queue, segment, scrap);
            return false;
        }
        let mut ended = accept(receiver, segment, spare, ready, scrap);
        while !ended {
            let waiting = reasm::take(&mut (*receiver).queue, (*receiver).next, scrap);
            if waiting.is_null() {
                break;
            }
            ended = accept(receiver, waiting, spare, ready, scrap);
        }
        ended
    }
}

/// Takes in the segment whose turn it is; gives whether the stream ends with it.
unsafe fn accept(
    receiver: *mut Receiver,
    segment: *mut Segment,
    spare: Spare,
    ready: &mut ipr::Queue,
    scrap: &mut Scrap,
) -> bool {
    unsafe {
        (*receiver).next = (*segment).end();
        (*receiver).urgent.extract(&mut *segment, spare, scrap);
        let chain = core::mem::replace(&mut (*segment).chain, null_mut());
        let (size, fin) = ((*segment).size, (*segment).fin);
        if (*receiver).in_delivery || (*receiver).pending.size != 0 {
            (*receiver).pending.append(chain, size);
        } else {
            ready.append(chain, size);
        }
        if fin {
            (*receiver).next = (*receiver).next.wrapping_add(1);
        }
        scrap.segment(segment);
        fin
    }
}

/// Throws away what waits. A processor that is in delivery frees the pending queue itself.
pub unsafe fn clear(receiver: &mut Receiver, scrap: &mut Scrap) {
    unsafe {
        while !receiver.queue.is_null() {
            let segment = receiver.queue;
            receiver.queue = (*segment).next;
            scrap.segment(segment);
        }
        if !receiver.in_delivery {
            scrap.pieces(receiver.pending.take_all());
        }
    }
}

#[cfg(test)]
mod tests;
