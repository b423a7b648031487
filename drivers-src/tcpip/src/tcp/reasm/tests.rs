//! The overlap policy against published vectors and against a byte-wise model; the invariant that
//! a segment's chain holds what its size says, with the urgent pointer anywhere.

use core::ptr::null_mut;
use std::collections::BTreeMap;

use super::*;
use crate::ipr::testing::{chain, text};
use crate::ipr::total;

fn segment(seq: u32, data: &[u8], urgent: Option<u32>, fin: bool) -> *mut Segment {
    // Two pieces where there are two bytes, so that cuts meet both.
    let (a, b) = data.split_at(data.len() / 2);
    let parts: Vec<&[u8]> = [a, b].into_iter().filter(|part| !part.is_empty()).collect();
    let size = data.len() as u32;
    Box::leak(Box::new(Segment {
        next: null_mut(),
        seq,
        size,
        urgent,
        fin,
        chain: chain(&parts),
    }))
}

/// The queue as (first byte's number, bytes), segment by segment.
fn contents(mut queue: *mut Segment) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    unsafe {
        while !queue.is_null() {
            assert_eq!(total((*queue).chain), (*queue).size);
            found.push((
                (*queue).seq,
                String::from_utf8(text((*queue).chain)).unwrap(),
            ));
            queue = (*queue).next;
        }
    }
    found
}

fn reassembled(vector: &[(u32, &str)]) -> String {
    let mut queue = null_mut();
    let mut scrap = Scrap::NOTHING;
    for &(seq, data) in vector {
        unsafe {
            insert(
                &mut queue,
                segment(seq, data.as_bytes(), None, false),
                &mut scrap,
            )
        };
    }
    let mut whole = String::new();
    let mut next = contents(queue).first().map_or(0, |first| first.0);
    for (seq, data) in contents(queue) {
        assert_eq!(seq, next, "sorted, no overlap, no hole");
        next += data.len() as u32;
        whole += &data;
    }
    whole
}

#[test]
fn published_vectors_give_the_bsd_result() {
    // Novak and Sturges 2007, as in Suricata's unit tests.
    let a = [
        (2, "AAA"),
        (6, "BB"),
        (8, "CCC"),
        (12, "D"),
        (15, "EE"),
        (17, "FFF"),
        (20, "GG"),
        (22, "HH"),
        (24, "I"),
        (3, "JJJJ"),
        (8, "KKK"),
        (11, "LLL"),
        (14, "MMM"),
        (18, "N"),
        (21, "O"),
        (22, "P"),
        (24, "QQ"),
        (1, "0"),
    ];
    assert_eq!(reassembled(&a), "0AAAJJBCCCLLLMMMFFFGGHHIQ");
    // Shankar and Paxson 2003.
    let b = [
        (0, "111"),
        (4, "22"),
        (6, "333"),
        (1, "4444"),
        (6, "555"),
        (9, "666"),
    ];
    assert_eq!(reassembled(&b), "111442333666");
}

/// A generator good enough to pick test cases (Marsaglia's xorshift32).
struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % limit
    }
}

/// For every byte of the stream, who owns it and its value.
#[derive(Default)]
struct Model(BTreeMap<u32, (usize, u8)>);

impl Model {
    fn insert(&mut self, id: usize, seq: u32, data: &[u8]) {
        let starts = self.starts();
        for (at, &byte) in (seq..).zip(data) {
            let wins = self.0.get(&at).is_none_or(|(owner, _)| seq < starts[owner]);
            if wins {
                self.0.insert(at, (id, byte));
            }
        }
    }

    fn starts(&self) -> BTreeMap<usize, u32> {
        let mut starts = BTreeMap::new();
        for (&at, &(owner, _)) in &self.0 {
            starts.entry(owner).or_insert(at);
        }
        starts
    }
}

#[test]
fn any_sequence_agrees_with_the_model() {
    let mut random = Random(0x2526_6400);
    for _ in 0..20_000 {
        let (mut queue, mut scrap, mut model) = (null_mut(), Scrap::NOTHING, Model::default());
        for id in 0..random.below(9) as usize {
            let seq = random.below(24);
            let data: Vec<u8> = (0..=random.below(7)).map(|_| b'a' + id as u8).collect();
            model.insert(id, seq, &data);
            unsafe { insert(&mut queue, segment(seq, &data, None, false), &mut scrap) };
        }
        let mut got = BTreeMap::new();
        for (seq, data) in contents(queue) {
            for (at, byte) in (seq..).zip(data.bytes()) {
                assert!(got.insert(at, byte).is_none(), "no byte twice");
            }
        }
        let want: BTreeMap<u32, u8> = model.0.iter().map(|(&at, &(_, byte))| (at, byte)).collect();
        assert_eq!(got, want);
    }
}

/// Takes out all that follows `next`; gives the bytes and the numbers of the urgent ones among
/// them, and checks every segment's count against its chain.
fn drain(queue: &mut *mut Segment, mut next: u32) -> (String, Vec<u32>) {
    let (mut whole, mut marks, mut scrap) = (String::new(), Vec::new(), Scrap::NOTHING);
    unsafe {
        loop {
            let segment = take(queue, next, &mut scrap);
            if segment.is_null() {
                return (whole, marks);
            }
            assert_eq!((*segment).seq, next);
            assert_eq!(
                total((*segment).chain),
                (*segment).size,
                "chain and size are cut alike"
            );
            whole += &String::from_utf8(text((*segment).chain)).unwrap();
            marks.extend((*segment).urgent.map(|at| next + at));
            next = (*segment).end();
        }
    }
}

#[test]
#[cfg_attr(feature = "buggy", should_panic = "chain and size are cut alike")]
fn what_waits_is_cut_at_its_front_wherever_the_mark_is() {
    for received in 0..=8 {
        for at in 0..10 {
            let mut queue = null_mut();
            let mut scrap = Scrap::NOTHING;
            unsafe {
                insert(
                    &mut queue,
                    segment(100, b"abcdefgh", Some(at), false),
                    &mut scrap,
                )
            };
            let (whole, marks) = drain(&mut queue, 100 + received);
            assert_eq!(whole, "abcdefgh"[received as usize..]);
            let marked = received < 8 && at >= received;
            assert_eq!(
                marks,
                if marked { vec![100 + at] } else { vec![] },
                "{received} {at}"
            );
            assert!(queue.is_null());
        }
    }
}

#[test]
fn what_waits_without_mark_is_cut_in_both_builds() {
    for received in 0..=8 {
        let mut queue = null_mut();
        let mut scrap = Scrap::NOTHING;
        unsafe {
            insert(
                &mut queue,
                segment(100, b"abcdefgh", None, false),
                &mut scrap,
            )
        };
        assert_eq!(
            drain(&mut queue, 100 + received).0,
            "abcdefgh"[received as usize..]
        );
    }
}

#[test]
fn the_end_of_the_stream_survives_covering() {
    let mut scrap = Scrap::NOTHING;
    unsafe {
        // A duplicate without the flag covers the segment that carries it, and the reverse.
        let mut queue = null_mut();
        insert(&mut queue, segment(5, b"xy", None, true), &mut scrap);
        insert(&mut queue, segment(3, b"vwxy", None, false), &mut scrap);
        assert!((*queue).fin && (*queue).size == 4);
        let mut queue = null_mut();
        insert(&mut queue, segment(3, b"vwxy", None, false), &mut scrap);
        insert(&mut queue, segment(5, b"xy", None, true), &mut scrap);
        assert!((*queue).fin && (*queue).size == 4);

        // All bytes are there when the end comes: it is still taken, as an empty segment.
        let mut queue = null_mut();
        insert(&mut queue, segment(5, b"xy", None, true), &mut scrap);
        let end = take(&mut queue, 7, &mut scrap);
        assert!((*end).fin && (*end).size == 0 && (*end).seq == 7);
    }
}
