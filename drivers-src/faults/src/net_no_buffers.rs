//! `net.no_buffers`: every packet is kept for a while. The correct driver does not keep one that the
//! miniport wants back at once (`NDIS_STATUS_RESOURCES`).

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use nt::ndis::*;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;
use crate::protocol::Frame;

pub const CASE: Case = Case::net(b"net.no_buffers", receive, finish);

static KEPT: [AtomicPtr<NDIS_PACKET>; 4] = [const { AtomicPtr::new(null_mut()) }; 4];

unsafe fn receive(frame: &Frame<'_>) -> i32 {
    let Some([_, number, ..]) = frame.payload() else {
        return 0;
    };
    #[cfg(not(feature = "buggy"))]
    if unsafe { (*oob_data(frame.packet)).Status } == NDIS_STATUS_RESOURCES {
        return 0;
    }
    match KEPT.get(usize::from(*number)) {
        Some(slot) if slot.load(Acquire).is_null() => {
            slot.store(frame.packet, Release);
            1
        }
        _ => 0,
    }
}

unsafe fn finish() -> NTSTATUS {
    for slot in &KEPT {
        let mut packet = slot.swap(null_mut(), AcqRel);
        if !packet.is_null() {
            unsafe { NdisReturnPackets(&mut packet, 1) };
        }
    }
    STATUS_SUCCESS
}
