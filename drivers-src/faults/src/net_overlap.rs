//! `net.overlap`: the bytes of a stream are put one behind the other as they come. The correct
//! driver puts them where their sequence numbers say.

use nt::global::Global;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;
use crate::protocol::Frame;

pub const CASE: Case = Case::net(b"net.overlap", receive, finish);

/// What the sender sends: four records of eight bytes, from sequence number 1000 on.
const LENGTH: usize = 32;
const FIRST: u32 = 1000;

struct Stream {
    used: usize,
    bytes: [u8; LENGTH],
}

static STREAM: Global<Stream> = Global::new(Stream {
    used: 0,
    bytes: [0; LENGTH],
});

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some((sequence, data)) = frame.segment() else {
        return 0;
    };
    let stream = unsafe { &mut *STREAM.get() };
    let at = match cfg!(feature = "buggy") {
        true => stream.used,
        false => sequence.wrapping_sub(FIRST) as usize,
    };
    let end = at.saturating_add(data.len());
    if cfg!(feature = "buggy") {
        stream.bytes[at..end].copy_from_slice(data);
    } else if let Some(place) = stream.bytes.get_mut(at..end) {
        place.copy_from_slice(data);
    }
    stream.used = end;
    0
}

unsafe fn finish() -> NTSTATUS {
    unsafe { (*STREAM.get()).used = 0 };
    STATUS_SUCCESS
}
