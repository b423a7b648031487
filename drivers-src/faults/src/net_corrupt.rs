//! `net.corrupt`: the number of a frame is a place in a table. The correct driver looks whether it
//! is one.

use nt::global::Global;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;
use crate::protocol::Frame;

pub const CASE: Case = Case::net(b"net.corrupt", receive, finish);

static COUNTS: Global<[u32; 4]> = Global::new([0; 4]);

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some([_, number, ..]) = frame.payload() else {
        return 0;
    };
    let counts = unsafe { &mut *COUNTS.get() };
    let place = usize::from(*number);
    #[cfg(not(feature = "buggy"))]
    if place >= counts.len() {
        return 0;
    }
    counts[place] += 1;
    0
}

unsafe fn finish() -> NTSTATUS {
    unsafe { *COUNTS.get() = [0; 4] };
    STATUS_SUCCESS
}
