//! Datagrams of this machine.

use core::ptr::write_unaligned;
use core::sync::atomic::{AtomicU32, Ordering};

use super::route;
use crate::arp;
use crate::checksum::Sum;
use crate::link::frame::{self, Frame, Outbox};
use crate::wire::{self, Ipv4};

const HEADER: u32 = size_of::<Ipv4>() as u32;
/// NT 4.0's `DefaultTTL`.
const TTL: u8 = 128;
const DONT_FRAGMENT: u16 = 0x4000;

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// A frame for a datagram with `length` bytes of payload, its header filled in; null if there is
/// no memory.
pub unsafe fn datagram(source: u32, destination: u32, protocol: u8, length: u32) -> *mut Frame {
    unsafe {
        let frame = frame::allocate(HEADER + length);
        if frame.is_null() {
            return frame;
        }
        let mut header = Ipv4 {
            version_ihl: 0x45,
            tos: 0,
            total_length: ((HEADER + length) as u16).into(),
            id: (NEXT_ID.fetch_add(1, Ordering::Relaxed) as u16).into(),
            fragment: DONT_FRAGMENT.into(),
            ttl: TTL,
            protocol,
            checksum: 0.into(),
            source: source.into(),
            destination: destination.into(),
        };
        header.checksum = Sum::ZERO.over(wire::bytes(&header)).finish().into();
        write_unaligned(frame::payload(frame).cast(), header);
        frame
    }
}

/// Where the payload of a datagram is.
pub unsafe fn payload(frame: *mut Frame) -> *mut u8 {
    unsafe { frame::payload(frame).add(HEADER as usize) }
}

/// Sends a datagram to where its header says, or drops it if there is no route. IRQL DISPATCH, no
/// lock held.
pub unsafe fn send(frame: *mut Frame) {
    unsafe {
        let header: *const Ipv4 = frame::payload(frame).cast();
        match route::lookup((*header).destination.get()) {
            Some((interface, next_hop)) => {
                (*frame).interface = interface;
                (*frame).next_hop = next_hop;
                arp::send(frame);
            }
            None => frame::free(frame),
        }
    }
}

/// Sends all datagrams of an outbox.
pub unsafe fn send_all(outbox: &mut Outbox) {
    unsafe {
        loop {
            let frame = outbox.pop();
            if frame.is_null() {
                return;
            }
            send(frame);
        }
    }
}
