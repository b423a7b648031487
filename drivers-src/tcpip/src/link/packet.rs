//! Received frames as chains, and giving them back.
//!
//! A frame is held by everybody who has a piece of it. The last one returns it to its miniport,
//! wherever that happens: often on another processor than the one that it was indicated on.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};

use nt::ex;
use nt::ip::{IPRcvBuf, OWNER_HOOK, OWNER_IP};
use nt::ndis::*;
use nt::types::*;

use crate::ipr::{self, Chain};

const TAG: u32 = tag(b"TcpR");
const PIECE_TAG: u32 = tag(b"IPrb");

/// A received frame.
#[repr(C)]
pub struct Received {
    /// Pieces of it that are in use, and the indication while it runs.
    holders: u32,
    /// The miniport's packet, or null if the bytes are a copy behind this structure.
    packet: *mut NDIS_PACKET,
}

/// Makes a chain of an indicated packet; `None` if there is no memory or nothing in it.
pub unsafe fn from_packet(packet: *mut NDIS_PACKET) -> Option<(*mut Received, Chain)> {
    unsafe {
        let received = new_received(packet, 0)?;
        let mut chain: Chain = null_mut();
        let mut buffer = (*packet).Private.Head;
        while !buffer.is_null() {
            let (mut address, mut length) = (null_mut(), 0);
            NdisQueryBuffer(buffer, &mut address, &mut length);
            if length != 0 {
                let Some(piece) = new_piece(received, address.cast(), length) else {
                    free(chain);
                    done(received);
                    return None;
                };
                (*piece).ipr_pMdl = buffer;
                ipr::append(&mut chain, piece);
            }
            buffer = (*buffer).Next;
        }
        Some((received, chain))
    }
}

/// Makes a chain of one piece with room for `length` bytes of a frame that the miniport keeps.
pub unsafe fn with_room(length: u32) -> Option<(*mut Received, Chain)> {
    unsafe {
        let received = new_received(null_mut(), length as usize)?;
        match new_piece(received, received.add(1).cast(), length) {
            Some(piece) => Some((received, piece)),
            None => {
                done(received);
                None
            }
        }
    }
}

/// The indication is over. Gives how often the packet will be returned from now on: 1 if somebody
/// still holds a piece of it, otherwise 0. Once that is known the frame is not the caller's.
pub unsafe fn done(received: *mut Received) -> i32 {
    unsafe {
        if let_go(received) {
            ex::free(received);
            0
        } else {
            1
        }
    }
}

/// Frees the pieces of a chain and gives frames back that nobody holds any more.
/// IRQL <= DISPATCH, no lock held.
pub unsafe fn free(mut chain: Chain) {
    unsafe {
        while !chain.is_null() {
            let piece = chain;
            chain = (*piece).ipr_next;
            if (*piece).ipr_owner != OWNER_HOOK {
                return_frame((*piece).ipr_RcvContext.cast());
            }
            ex::free(piece);
        }
    }
}

/// A piece descriptor to be filled in; null if there is no memory.
pub unsafe fn spare_piece() -> *mut IPRcvBuf {
    unsafe { ex::allocate_zeroed(PIECE_TAG) }
}

unsafe fn return_frame(received: *mut Received) {
    unsafe {
        if let_go(received) {
            let mut packet = (*received).packet;
            ex::free(received);
            if !packet.is_null() {
                NdisReturnPackets(&mut packet, 1);
            }
        }
    }
}

/// Drops one hold; whether it was the last.
unsafe fn let_go(received: *mut Received) -> bool {
    unsafe { AtomicU32::from_ptr(&raw mut (*received).holders).fetch_sub(1, Ordering::AcqRel) == 1 }
}

unsafe fn new_received(packet: *mut NDIS_PACKET, room: usize) -> Option<*mut Received> {
    unsafe {
        let received: *mut Received = ex::allocate_bytes(size_of::<Received>() + room, TAG).cast();
        if received.is_null() {
            return None;
        }
        received.write(Received { holders: 1, packet });
        Some(received)
    }
}

unsafe fn new_piece(
    received: *mut Received,
    address: *mut u8,
    length: u32,
) -> Option<*mut IPRcvBuf> {
    unsafe {
        let piece: *mut IPRcvBuf = ex::allocate_zeroed(PIECE_TAG);
        if piece.is_null() {
            return None;
        }
        (*piece).ipr_owner = OWNER_IP;
        (*piece).ipr_buffer = address;
        (*piece).ipr_size = length;
        (*piece).ipr_pClientCnt = &raw mut (*received).holders;
        (*piece).ipr_RcvContext = received.cast();
        AtomicU32::from_ptr((*piece).ipr_pClientCnt).fetch_add(1, Ordering::Relaxed);
        Some(piece)
    }
}
