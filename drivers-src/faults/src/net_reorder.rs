//! `net.reorder`: places are counted from the number of the frame that comes first. The correct
//! driver counts them from where the sender begins.

use nt::global::Global;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;
use crate::protocol::Frame;

pub const CASE: Case = Case::net(b"net.reorder", receive, finish);

struct Places {
    first: Option<u8>,
    seen: [bool; 4],
}

static PLACES: Global<Places> = Global::new(Places {
    first: None,
    seen: [false; 4],
});

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some([_, number, ..]) = frame.payload() else {
        return 0;
    };
    let places = unsafe { &mut *PLACES.get() };
    let first = *places.first.get_or_insert(*number);
    let base = if cfg!(feature = "buggy") { first } else { 0 };
    places.seen[usize::from(number.wrapping_sub(base))] = true;
    0
}

unsafe fn finish() -> NTSTATUS {
    unsafe { (*PLACES.get()).first = None };
    STATUS_SUCCESS
}
