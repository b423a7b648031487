//! Indications: what NDIS calls when a frame came in. IRQL DISPATCH, on any processor, and on
//! several at once.

use core::ptr::null_mut;

use nt::ndis::*;
use nt::types::*;

use super::adapter::Interface;
use super::{packet, protocol};
use crate::ipr::{self, Chain};
use crate::wire::{ETHERTYPE_ARP, ETHERTYPE_IP, Ethernet};
use crate::{arp, ip};

/// A frame as a packet, which may be kept.
pub unsafe extern "system" fn receive_packet(
    binding: NDIS_HANDLE,
    indicated: *mut NDIS_PACKET,
) -> i32 {
    unsafe {
        if (*oob_data(indicated)).Status == NDIS_STATUS_RESOURCES {
            // The miniport is short of buffers and takes this one back on return.
            copy_packet(binding.cast(), indicated);
            return 0;
        }
        let Some((received, chain)) = packet::from_packet(indicated) else {
            return 0;
        };
        frame_arrives(binding.cast(), chain);
        packet::done(received)
    }
}

/// A frame from a miniport that gives only a look at it.
pub unsafe extern "system" fn receive(
    binding: NDIS_HANDLE,
    mac_context: NDIS_HANDLE,
    header: *const u8,
    header_length: u32,
    lookahead: *const u8,
    lookahead_length: u32,
    packet_length: u32,
) -> NDIS_STATUS {
    unsafe {
        let Some((received, chain)) = packet::with_room(header_length + packet_length) else {
            return NDIS_STATUS_RESOURCES;
        };
        let to = (*chain).ipr_buffer;
        core::ptr::copy_nonoverlapping(header, to, header_length as usize);
        let payload = to.add(header_length as usize);
        let have = lookahead_length.min(packet_length);
        core::ptr::copy_nonoverlapping(lookahead, payload, have as usize);
        let rest = packet_length - have;
        let whole = rest == 0
            || transfer(
                binding.cast(),
                mac_context,
                have,
                payload.add(have as usize),
                rest,
            );
        if whole {
            frame_arrives(binding.cast(), chain);
        } else {
            packet::free(chain);
        }
        packet::done(received);
        if whole {
            NDIS_STATUS_SUCCESS
        } else {
            NDIS_STATUS_NOT_ACCEPTED
        }
    }
}

/// A transfer that was pending ended. Its frame was given up when it did not end at once, so only
/// the memory is left.
pub unsafe extern "system" fn transfer_data_complete(
    _binding: NDIS_HANDLE,
    pending: *mut NDIS_PACKET,
    _status: NDIS_STATUS,
    _transferred: u32,
) {
    unsafe {
        let room: *mut u8 = *protocol_reserved(pending);
        NdisFreeBuffer((*pending).Private.Head);
        NdisFreePacket(pending);
        nt::ex::free(room);
    }
}

/// Takes the rest of an indicated frame: `length` bytes from `offset` of the payload on to `to`.
/// Gives whether they are there. A miniport has the whole frame at hand while it indicates it; one
/// that stays pending all the same loses it. The bytes take the way through a buffer of their own,
/// which outlives a pending transfer.
unsafe fn transfer(
    interface: *mut Interface,
    mac_context: NDIS_HANDLE,
    offset: u32,
    to: *mut u8,
    length: u32,
) -> bool {
    unsafe {
        let room = nt::ex::allocate_bytes(length as usize, tag(b"TcpX"));
        if room.is_null() {
            return false;
        }
        let (mut status, mut transferred) = (NDIS_STATUS_SUCCESS, 0);
        let (mut descriptor, mut buffer) = (null_mut(), null_mut());
        NdisAllocatePacket(&mut status, &mut descriptor, protocol::packets());
        if status != NDIS_STATUS_SUCCESS {
            nt::ex::free(room);
            return false;
        }
        NdisAllocateBuffer(
            &mut status,
            &mut buffer,
            protocol::buffers(),
            room.cast(),
            length,
        );
        if status != NDIS_STATUS_SUCCESS {
            NdisFreePacket(descriptor);
            nt::ex::free(room);
            return false;
        }
        chain_only_buffer(descriptor, buffer);
        *protocol_reserved(descriptor) = room;
        NdisTransferData(
            &mut status,
            (*interface).binding,
            mac_context,
            offset,
            length,
            descriptor,
            &mut transferred,
        );
        if status == NDIS_STATUS_PENDING {
            return false;
        }
        let whole = status == NDIS_STATUS_SUCCESS && transferred == length;
        if whole {
            core::ptr::copy_nonoverlapping(room, to, length as usize);
        }
        transfer_data_complete((*interface).binding, descriptor, status, transferred);
        whole
    }
}

unsafe fn copy_packet(interface: *mut Interface, indicated: *mut NDIS_PACKET) {
    unsafe {
        let Some((lent, original)) = packet::from_packet(indicated) else {
            return;
        };
        let length = ipr::total(original);
        if let Some((received, copy)) = packet::with_room(length) {
            ipr::copy_out(original, 0, (*copy).ipr_buffer, length);
            frame_arrives(interface, copy);
            packet::done(received);
        }
        // The hold of the indication outlives those of the pieces, so nothing is returned by call.
        packet::free(original);
        packet::done(lent);
    }
}

/// A whole frame, the link header in front. The chain is this function's from here on.
unsafe fn frame_arrives(interface: *mut Interface, mut chain: Chain) {
    unsafe {
        let Some(header) = ipr::peek::<Ethernet>(chain, 0) else {
            return packet::free(chain);
        };
        packet::free(ipr::trim_front(&mut chain, size_of::<Ethernet>() as u32));
        match header.kind.get() {
            ETHERTYPE_IP => ip::input::receive(interface, chain),
            ETHERTYPE_ARP => arp::receive(interface, chain),
            _ => packet::free(chain),
        }
    }
}
