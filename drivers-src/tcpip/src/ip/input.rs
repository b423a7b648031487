//! Datagrams that came in.

use nt::ip::{DEST_BCAST, DEST_LOCAL, DEST_REMOTE};

use super::{forward, hook, icmp};
use crate::checksum::Sum;
use crate::config;
use crate::ipr::{self, Chain};
use crate::link::adapter::{self, Interface};
use crate::link::packet;
use crate::tcp;
use crate::wire::{FRAGMENTED, Ipv4, PROTOCOL_ICMP, PROTOCOL_TCP};

/// The longest header: 15 words.
const HEADER_MAX: usize = 60;

/// A datagram from a link. The chain is this function's. IRQL DISPATCH.
pub unsafe fn receive(interface: *mut Interface, mut chain: Chain) {
    unsafe {
        let Some(mut header) = check(&mut chain) else {
            return packet::free(chain);
        };
        if hook::any() {
            let destination = destination_type(header.destination.get());
            chain = match hook::received(interface, chain, destination) {
                Some(chain) => chain,
                None => return,
            };
            // The hook may have rewritten the header, or replaced the datagram.
            header = match check(&mut chain) {
                Some(header) => header,
                None => return packet::free(chain),
            };
        }
        match destination_type(header.destination.get()) {
            DEST_LOCAL => deliver(interface, &header, chain),
            DEST_REMOTE if config::settings().forward => {
                forward::forward(interface, &header, chain);
            }
            _ => packet::free(chain),
        }
    }
}

/// Checks a datagram's header and cuts what the link padded; `None` if it is to be dropped.
unsafe fn check(chain: &mut Chain) -> Option<Ipv4> {
    unsafe {
        let header = ipr::peek::<Ipv4>(*chain, 0)?;
        let (length, total) = (header.header_length(), u32::from(header.total_length.get()));
        if header.version_ihl >> 4 != 4
            || length < size_of::<Ipv4>() as u32
            || total < length
            || ipr::total(*chain) < total
        {
            return None;
        }
        let mut bytes = [0; HEADER_MAX];
        ipr::copy_out(*chain, 0, bytes.as_mut_ptr(), length);
        if Sum::ZERO.over(bytes.get(..length as usize)?).finish() != 0 {
            return None;
        }
        packet::free(ipr::truncate(chain, total));
        Some(header)
    }
}

/// Whom an address means.
fn destination_type(address: u32) -> u8 {
    for interface in adapter::all() {
        let (own, mask) = unsafe { ((*interface).address, (*interface).mask) };
        if address == own {
            return DEST_LOCAL;
        }
        if address == own | !mask {
            return DEST_BCAST;
        }
    }
    if address == u32::MAX {
        DEST_BCAST
    } else {
        DEST_REMOTE
    }
}

/// Hands the payload of a datagram for this machine to its protocol.
unsafe fn deliver(interface: *mut Interface, header: &Ipv4, mut chain: Chain) {
    unsafe {
        if header.fragment.get() & FRAGMENTED != 0 {
            return packet::free(chain);
        }
        packet::free(ipr::trim_front(&mut chain, header.header_length()));
        match header.protocol {
            PROTOCOL_TCP => tcp::input::receive(header, chain),
            PROTOCOL_ICMP => icmp::receive(interface, header, chain),
            _ => packet::free(chain),
        }
    }
}
