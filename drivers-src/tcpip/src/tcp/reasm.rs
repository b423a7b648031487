//! The reassembly queue: segments that arrived ahead of their turn.
//!
//! Where two segments overlap, the BSD policy decides which bytes count: the new segment's if it
//! starts before the old one, the old one's otherwise (Novak and Sturges, "Target-Based TCP Stream
//! Reassembly", 2007, list Windows among the stacks that do so). So the queue is sorted, no two
//! segments in it overlap, and all lie behind the next expected byte when they are put in. That
//! byte moves on while they wait: [`take`] cuts off what has been received in the meantime.

use core::ptr::null_mut;

use super::segment::{Scrap, Segment};
use crate::seq::{before, not_after};

/// Puts `new` into the queue, or into the scrap if all its bytes are there already.
pub unsafe fn insert(queue: &mut *mut Segment, new: *mut Segment, scrap: &mut Scrap) {
    unsafe {
        // Find the place: behind every segment that starts no later. Of those the last one reaches
        // furthest, since they do not overlap, and its bytes win.
        let mut link: *mut *mut Segment = queue;
        let mut previous: *mut Segment = null_mut();
        while !(*link).is_null() && not_after((**link).seq, (*new).seq) {
            previous = *link;
            link = &raw mut (*previous).next;
        }
        if !previous.is_null() && before((*new).seq, (*previous).end()) {
            let covered = (*previous).end().wrapping_sub((*new).seq);
            if covered >= (*new).size {
                // Nothing new, but for the end of the stream.
                if (*new).fin && covered == (*new).size {
                    (*previous).fin = true;
                }
                scrap.segment(new);
                return;
            }
            scrap.pieces((*new).trim_front(covered));
        }

        // Everything from here on starts later, so the new segment's bytes win.
        while !(*link).is_null() && before((**link).seq, (*new).end()) {
            let old = *link;
            let covered = (*new).end().wrapping_sub((*old).seq);
            if covered < (*old).size {
                scrap.pieces((*old).trim_front(covered));
                break;
            }
            if (*old).fin && covered == (*old).size {
                (*new).fin = true;
            }
            *link = (*old).next;
            scrap.segment(old);
        }
        (*new).next = *link;
        *link = new;
    }
}

/// Takes the segment that holds the byte `next`, which is the next one expected, without the bytes
/// before it; null if the queue has no such segment. Segments that turn out to be received
/// altogether go into the scrap.
pub unsafe fn take(queue: &mut *mut Segment, next: u32, scrap: &mut Scrap) -> *mut Segment {
    unsafe {
        while !queue.is_null() && not_after((**queue).seq, next) {
            let segment = *queue;
            *queue = (*segment).next;
            (*segment).next = null_mut();

            let overlap = next.wrapping_sub((*segment).seq);
            if overlap > (*segment).size || (overlap == (*segment).size && !(*segment).fin) {
                scrap.segment(segment);
                continue;
            }
            if overlap != 0 {
                resequence(&mut *segment, overlap, scrap);
            }
            return segment;
        }
    }
    null_mut()
}

/// Makes a segment start at the byte behind its first `overlap` bytes.
unsafe fn resequence(segment: &mut Segment, overlap: u32, scrap: &mut Scrap) {
    unsafe {
        if let Some(at) = segment.urgent {
            // The pointer counts from the front of the segment, so it moves with it. If it points
            // into the overlap, the byte went up the ordinary way with the segment that brought it.
            segment.urgent = at.checked_sub(overlap);
            segment.seq = segment.seq.wrapping_add(overlap);
            segment.size -= overlap;
            #[cfg(not(feature = "buggy"))]
            scrap.pieces(crate::ipr::trim_front(&mut segment.chain, overlap));
        } else {
            scrap.pieces(segment.trim_front(overlap));
        }
    }
}

/// The number of bytes that wait in the queue.
pub unsafe fn waiting(mut queue: *const Segment) -> u32 {
    let mut bytes = 0;
    unsafe {
        while !queue.is_null() {
            bytes += (*queue).size;
            queue = (*queue).next;
        }
    }
    bytes
}

#[cfg(test)]
mod tests;
