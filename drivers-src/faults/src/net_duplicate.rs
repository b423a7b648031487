//! `net.duplicate`: a list has room for the four frames that were sent. The correct driver knows a
//! frame by its number, not by its turn.

use nt::global::Global;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;
use crate::protocol::Frame;

pub const CASE: Case = Case::net(b"net.duplicate", receive, finish);

static LIST: Global<(usize, [u8; 4])> = Global::new((0, [0; 4]));

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some([_, number, ..]) = frame.payload() else {
        return 0;
    };
    let (used, list) = unsafe { &mut *LIST.get() };
    #[cfg(not(feature = "buggy"))]
    if list[..*used].contains(number) {
        return 0;
    }
    list[*used] = *number;
    *used += 1;
    0
}

unsafe fn finish() -> NTSTATUS {
    unsafe { (*LIST.get()).0 = 0 };
    STATUS_SUCCESS
}
