//! `net.drop`: four frames are awaited, and each is looked at in the end. The correct driver looks
//! at those that have come.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::protocol::Frame;
use crate::{Case, tools};

pub const CASE: Case = Case::net(b"net.drop", receive, finish);

static FRAMES: [AtomicPtr<u8>; 4] = [const { AtomicPtr::new(null_mut()) }; 4];

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    if let Some([_, number, ..]) = frame.payload()
        && let Some(slot) = FRAMES.get(usize::from(*number))
    {
        let copy = unsafe { tools::page() };
        unsafe { tools::free(slot.swap(copy, AcqRel)) };
    }
    0
}

unsafe fn finish() -> NTSTATUS {
    for slot in &FRAMES {
        let copy = slot.swap(null_mut(), AcqRel);
        #[cfg(not(feature = "buggy"))]
        if copy.is_null() {
            continue;
        }
        unsafe {
            copy.write_volatile(1);
            tools::free(copy);
        }
    }
    STATUS_SUCCESS
}
