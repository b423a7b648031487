//! `net.coalesce`: a segment is copied to where a record of eight bytes has room. The correct driver
//! takes it record by record.

use nt::global::Global;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;
use crate::protocol::Frame;

pub const CASE: Case = Case::net(b"net.coalesce", receive, finish);

const RECORD: usize = 8;

static ROOM: Global<[u8; RECORD]> = Global::new([0; RECORD]);

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some((_, data)) = frame.segment() else {
        return 0;
    };
    let room = unsafe { &mut *ROOM.get() };
    if cfg!(feature = "buggy") {
        room[..data.len()].copy_from_slice(data);
        return 0;
    }
    for record in data.chunks(RECORD) {
        room[..record.len()].copy_from_slice(record);
    }
    0
}

unsafe fn finish() -> NTSTATUS {
    unsafe { *ROOM.get() = [0; RECORD] };
    STATUS_SUCCESS
}
