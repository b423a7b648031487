//! `net.split`: a record of eight bytes is expected in one segment. The correct driver collects
//! them.

use nt::global::Global;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;
use crate::protocol::Frame;

pub const CASE: Case = Case::net(b"net.split", receive, finish);

const RECORD: usize = 8;

struct Stream {
    used: usize,
    record: [u8; RECORD],
}

static STREAM: Global<Stream> = Global::new(Stream {
    used: 0,
    record: [0; RECORD],
});

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some((_, data)) = frame.segment() else {
        return 0;
    };
    let stream = unsafe { &mut *STREAM.get() };
    if cfg!(feature = "buggy") {
        stream.record.copy_from_slice(&data[..RECORD]);
        return 0;
    }
    for &byte in data {
        stream.record[stream.used] = byte;
        stream.used = (stream.used + 1) % RECORD;
    }
    0
}

unsafe fn finish() -> NTSTATUS {
    unsafe { (*STREAM.get()).used = 0 };
    STATUS_SUCCESS
}
