//! The receive half against the stream that was sent: every byte once and in order, the urgent
//! ones apart, whatever the segments, their order and their overlaps.
//!
//! Byte `n` of a stream has the value `n`, so a byte's value says where it belongs.

use super::*;
use crate::ipr::testing::{chain, spare, text};
use crate::ipr::{Queue, total};
use crate::tcp::urgent;

const INITIAL: u32 = u32::MAX - 20;
const FIRST: u32 = INITIAL.wrapping_add(1);

unsafe fn new_spare() -> *mut IPRcvBuf {
    spare()
}

/// Bytes `from..to` of the stream, with the byte that is urgent.
fn segment(from: u32, to: u32, mark: Option<u32>) -> *mut Segment {
    let bytes: Vec<u8> = (from as u8..to as u8).collect();
    let (a, b) = bytes.split_at(bytes.len() / 3);
    let parts: Vec<&[u8]> = [a, b].into_iter().filter(|part| !part.is_empty()).collect();
    Box::leak(Box::new(Segment {
        next: null_mut(),
        seq: FIRST.wrapping_add(from),
        size: to - from,
        urgent: mark.and_then(|mark| mark.checked_sub(from)),
        fin: false,
        chain: chain(&parts),
    }))
}

/// What a client gets.
#[derive(Default, Debug, PartialEq)]
struct Got {
    bytes: Vec<u8>,
    urgent: Vec<u8>,
}

/// Takes segments in, as if somebody were in delivery from the segment number `busy` on.
fn receive(segments: &[(u32, u32, Option<u32>)], busy: usize) -> Got {
    let mut receiver = new(INITIAL);
    let (mut got, mut scrap) = (Got::default(), Scrap::NOTHING);
    for (number, &(from, to, mark)) in segments.iter().enumerate() {
        receiver.in_delivery = number >= busy;
        let mut ready = Queue::EMPTY;
        unsafe {
            let segment = segment(from, to, mark);
            if before(FIRST.wrapping_add(to).wrapping_sub(1), receiver.next) {
                // The window check in front drops what is received altogether.
                continue;
            }
            take_in(&mut receiver, segment, new_spare, &mut ready, &mut scrap);
            assert_eq!(total(ready.head), ready.size, "chain and size agree");
            assert_eq!(
                total(receiver.pending.head),
                receiver.pending.size,
                "chain and size agree"
            );
        }
        got.bytes.extend(text(ready.head));
        got.urgent
            .extend(std::iter::from_fn(|| receiver.urgent.pop()));
    }
    got.bytes.extend(text(receiver.pending.head));
    got
}

fn permutations<T: Copy>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for (i, &item) in items.iter().enumerate() {
        let rest = [&items[..i], &items[i + 1..]].concat();
        all.extend(
            permutations(&rest)
                .into_iter()
                .map(|tail| [&[item], &tail[..]].concat()),
        );
    }
    all
}

#[test]
fn the_pointer_in_both_readings() {
    // (pointer, BSD's offset, RFC 1122's offset)
    let rows = [
        (0, None, Some(0)),
        (1, Some(0), Some(1)),
        (3, Some(2), Some(3)),
    ];
    for (pointer, bsd, rfc1122) in rows {
        assert_eq!(urgent::offset(pointer, false), bsd);
        assert_eq!(urgent::offset(pointer, true), rfc1122);
    }
}

#[test]
#[cfg_attr(feature = "buggy", should_panic = "chain and size agree")]
fn every_byte_once_in_any_order_with_the_mark_anywhere() {
    // Four segments that overlap, each saying where the urgent byte is if that is still ahead.
    const CUTS: [(u32, u32); 4] = [(0, 5), (3, 9), (9, 12), (10, 16)];
    for mark in 0..18 {
        let segments = CUTS.map(|(from, to)| (from, to, (mark >= from).then_some(mark)));
        for order in permutations(&segments) {
            for busy in 0..=order.len() {
                let got = receive(&order, busy);
                let want = Got {
                    bytes: (0..16).filter(|&byte| u32::from(byte) != mark).collect(),
                    urgent: (0..16).filter(|&byte| u32::from(byte) == mark).collect(),
                };
                assert_eq!(got, want, "mark {mark}, busy from {busy}: {order:?}");
            }
        }
    }
}

#[test]
fn a_mark_that_comes_late_or_not_with_the_byte_leaves_the_byte_in_the_stream() {
    let whole: Vec<u8> = (0..8).collect();
    for order in permutations(&[(0, 4, None), (4, 8, None), (0, 4, Some(2))]) {
        let got = receive(&order, 9);
        let mut all = [got.bytes.clone(), got.urgent.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, whole, "{order:?}");
        let first = order.iter().find(|segment| segment.0 == 0).unwrap();
        assert_eq!(
            got.urgent,
            if first.2.is_some() { vec![2] } else { vec![] },
            "{order:?}"
        );
    }
}

#[test]
fn a_pointer_on_an_empty_segment_counts() {
    let mut receiver = new(INITIAL);
    let (mut ready, mut scrap) = (Queue::EMPTY, Scrap::NOTHING);
    receiver.urgent.note(FIRST.wrapping_add(2), receiver.next);
    unsafe {
        take_in(
            &mut receiver,
            segment(0, 4, None),
            new_spare,
            &mut ready,
            &mut scrap,
        )
    };
    assert_eq!(
        (text(ready.head), receiver.urgent.pop()),
        (vec![0, 1, 3], Some(2))
    );
    receiver.urgent.note(FIRST.wrapping_add(3), receiver.next);
    unsafe {
        take_in(
            &mut receiver,
            segment(4, 6, None),
            new_spare,
            &mut ready,
            &mut scrap,
        )
    };
    assert_eq!(
        receiver.urgent.pop(),
        None,
        "that byte was received before its mark came"
    );
}

#[test]
fn what_is_beyond_the_window_is_cut() {
    let mut receiver = new(INITIAL);
    let (mut ready, mut scrap) = (Queue::EMPTY, Scrap::NOTHING);
    let held = segment(0, 200, None);
    unsafe { receiver.pending.append((*held).chain, WINDOW - 10) };
    unsafe {
        take_in(
            &mut receiver,
            segment(0, 15, None),
            new_spare,
            &mut ready,
            &mut scrap,
        )
    };
    assert_eq!(receiver.next, FIRST.wrapping_add(10));
    assert_eq!(window(&receiver), 0);
}

#[test]
fn without_memory_an_urgent_byte_stays_in_the_stream() {
    unsafe fn none() -> *mut IPRcvBuf {
        null_mut()
    }
    let mut receiver = new(INITIAL);
    let (mut ready, mut scrap) = (Queue::EMPTY, Scrap::NOTHING);
    unsafe {
        take_in(
            &mut receiver,
            segment(0, 4, Some(2)),
            none,
            &mut ready,
            &mut scrap,
        )
    };
    assert_eq!(
        (text(ready.head), receiver.urgent.pop()),
        (vec![0, 1, 2, 3], None)
    );
}
