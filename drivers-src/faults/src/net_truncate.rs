//! `net.truncate`: a frame says how long its data are. The correct driver looks how long it is.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;
use crate::protocol::Frame;

pub const CASE: Case = Case::net(b"net.truncate", receive, finish);

static SUM: AtomicU32 = AtomicU32::new(0);

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some(payload @ [_, _, high, low, ..]) = frame.payload() else {
        return 0;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    #[cfg(not(feature = "buggy"))]
    let length = length.min(payload.len() - 4);
    let data = unsafe { payload.as_ptr().add(4) };
    let mut sum = 0;
    for at in 0..length {
        sum += u32::from(unsafe { data.add(at).read_volatile() });
    }
    SUM.fetch_add(sum, Relaxed);
    0
}

unsafe fn finish() -> NTSTATUS {
    SUM.store(0, Relaxed);
    STATUS_SUCCESS
}
