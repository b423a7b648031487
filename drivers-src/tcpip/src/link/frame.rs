//! Frames on their way out.

use core::ptr::{null_mut, write_unaligned};

use nt::ex;
use nt::ndis::*;
use nt::types::*;

use super::adapter::Interface;
use super::protocol;
use crate::wire::{Ethernet, Mac};

const TAG: u32 = tag(b"TcpF");
const LINK_HEADER: u32 = size_of::<Ethernet>() as u32;

/// A frame in one block of pool: this descriptor, the link header, the payload.
#[repr(C)]
pub struct Frame {
    /// The next frame of an outbox.
    pub next: *mut Frame,
    /// Where it leaves.
    pub interface: *mut Interface,
    /// Whose link address it goes to, in host byte order.
    pub next_hop: u32,
    /// Length of the payload.
    pub length: u32,
    buffer: *mut MDL,
}

/// A frame with room for a payload of `length` bytes; null if there is no memory.
pub unsafe fn allocate(length: u32) -> *mut Frame {
    unsafe {
        let bytes = size_of::<Frame>() + (LINK_HEADER + length) as usize;
        let frame: *mut Frame = ex::allocate_bytes(bytes, TAG).cast();
        if !frame.is_null() {
            frame.write(Frame {
                next: null_mut(),
                interface: null_mut(),
                next_hop: 0,
                length,
                buffer: null_mut(),
            });
        }
        frame
    }
}

/// Where the payload of a frame is.
pub unsafe fn payload(frame: *mut Frame) -> *mut u8 {
    unsafe { frame.add(1).cast::<u8>().add(LINK_HEADER as usize) }
}

/// Frees a frame that NDIS does not have; null is none.
pub unsafe fn free(frame: *mut Frame) {
    if !frame.is_null() {
        unsafe { ex::free(frame) }
    }
}

/// Sends a frame by its interface to a link address; it is gone after that. A frame for which
/// NDIS has no descriptors is lost, like any frame may be.
pub unsafe fn transmit(frame: *mut Frame, to: Mac, kind: u16) {
    unsafe {
        let interface = (*frame).interface;
        let header = Ethernet {
            destination: to,
            source: (*interface).mac,
            kind: kind.into(),
        };
        let start: *mut Ethernet = frame.add(1).cast();
        write_unaligned(start, header);

        let (mut status, mut packet) = (NDIS_STATUS_SUCCESS, null_mut());
        NdisAllocatePacket(&mut status, &mut packet, protocol::packets());
        if status != NDIS_STATUS_SUCCESS {
            return free(frame);
        }
        NdisAllocateBuffer(
            &mut status,
            &raw mut (*frame).buffer,
            protocol::buffers(),
            start.cast(),
            LINK_HEADER + (*frame).length,
        );
        if status != NDIS_STATUS_SUCCESS {
            NdisFreePacket(packet);
            return free(frame);
        }
        chain_only_buffer(packet, (*frame).buffer);
        *protocol_reserved(packet) = frame;
        NdisSend(&mut status, (*interface).binding, packet);
        if status != NDIS_STATUS_PENDING {
            send_complete((*interface).binding, packet, status);
        }
    }
}

/// NDIS is done with a frame.
pub unsafe extern "system" fn send_complete(
    _binding: NDIS_HANDLE,
    packet: *mut NDIS_PACKET,
    _status: NDIS_STATUS,
) {
    unsafe {
        let frame: *mut Frame = *protocol_reserved(packet);
        NdisFreeBuffer((*frame).buffer);
        NdisFreePacket(packet);
        free(frame);
    }
}

/// Frames to be sent when the locks are released, in order.
pub struct Outbox {
    first: *mut Frame,
    last: *mut Frame,
}

impl Outbox {
    /// Nothing to send.
    pub const EMPTY: Outbox = Outbox {
        first: null_mut(),
        last: null_mut(),
    };

    /// Puts a frame at the end.
    pub unsafe fn push(&mut self, frame: *mut Frame) {
        if self.first.is_null() {
            self.first = frame;
        } else {
            unsafe { (*self.last).next = frame };
        }
        self.last = frame;
    }

    /// Takes the first frame; null at the end.
    pub unsafe fn pop(&mut self) -> *mut Frame {
        let frame = self.first;
        if !frame.is_null() {
            self.first = unsafe { (*frame).next };
        }
        frame
    }
}
