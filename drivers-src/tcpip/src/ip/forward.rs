//! Datagrams for others.
//!
//! One whose time is up, or for which there is no route, is dropped without a word to its sender.

use super::{hook, route};
use crate::arp;
use crate::checksum;
use crate::ipr::{self, Chain};
use crate::link::adapter::Interface;
use crate::link::{frame, packet};
use crate::wire::Ipv4;

/// Sends a datagram on towards its destination. The chain is this function's. IRQL DISPATCH.
pub unsafe fn forward(from: *mut Interface, header: &Ipv4, chain: Chain) {
    unsafe {
        let Some((to, next_hop)) = route::lookup(header.destination.get()) else {
            return packet::free(chain);
        };
        if header.ttl <= 1 {
            return packet::free(chain);
        }
        let Some(chain) = hook::transmitted(from, to, chain) else {
            return;
        };
        let length = ipr::total(chain);
        let frame = frame::allocate(length);
        let copied = !frame.is_null() && ipr::copy_out(chain, 0, frame::payload(frame), length);
        packet::free(chain);
        if !copied || length < size_of::<Ipv4>() as u32 {
            return frame::free(frame);
        }
        let copy: *mut Ipv4 = frame::payload(frame).cast();
        let before = u16::from_be_bytes([(*copy).ttl, (*copy).protocol]);
        (*copy).ttl -= 1;
        let after = u16::from_be_bytes([(*copy).ttl, (*copy).protocol]);
        (*copy).checksum = checksum::update((*copy).checksum.get(), before, after).into();
        (*frame).interface = to;
        (*frame).next_hop = next_hop;
        arp::send(frame);
    }
}
