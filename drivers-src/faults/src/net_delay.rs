//! `net.delay`: the buffer for frames is freed when the last one must have come. The correct driver
//! says so to who fills it.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::protocol::Frame;
use crate::{Case, tools};

pub const CASE: Case = Case::net(b"net.delay", receive, finish);

static BUFFER: AtomicPtr<u8> = AtomicPtr::new(null_mut());

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some([_, number, ..]) = frame.payload() else {
        return 0;
    };
    unsafe {
        if *number == 0 {
            BUFFER.store(tools::page(), Release);
        }
        let buffer = BUFFER.load(Acquire);
        if !buffer.is_null() {
            buffer.add(usize::from(*number)).write_volatile(*number);
        }
    }
    0
}

unsafe fn finish() -> NTSTATUS {
    #[cfg(feature = "buggy")]
    let buffer = BUFFER.load(Acquire);
    #[cfg(not(feature = "buggy"))]
    let buffer = BUFFER.swap(null_mut(), AcqRel);
    unsafe { tools::free(buffer) };
    STATUS_SUCCESS
}
