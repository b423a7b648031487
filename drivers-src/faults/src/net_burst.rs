//! `net.burst`: what a batch of indications brings is kept until the batch ends, in a list of two;
//! frames come one by one, nearly always. The correct driver leaves what it has no room for.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nt::global::Global;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;
use crate::protocol::Frame;

pub const CASE: Case = Case::net(b"net.burst", receive, finish);

static LIST: Global<[u8; 2]> = Global::new([0; 2]);
static USED: AtomicUsize = AtomicUsize::new(0);

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some([_, number, ..]) = frame.payload() else {
        return 0;
    };
    let list = unsafe { &mut *LIST.get() };
    let used = USED.load(Relaxed);
    #[cfg(not(feature = "buggy"))]
    if used == list.len() {
        return 0;
    }
    list[used] = *number;
    USED.store(used + 1, Relaxed);
    0
}

/// A batch of indications has ended.
pub unsafe fn batch_ended() {
    USED.store(0, Relaxed);
}

unsafe fn finish() -> NTSTATUS {
    STATUS_SUCCESS
}
