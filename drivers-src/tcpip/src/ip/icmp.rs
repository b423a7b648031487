//! ICMP: answering an echo request (RFC 792), which is what `ping` needs.

use core::ptr::write_unaligned;

use super::output;
use crate::checksum::Sum;
use crate::ipr::{self, Chain};
use crate::link::adapter::Interface;
use crate::link::packet;
use crate::wire::{ECHO_REPLY, ECHO_REQUEST, IcmpEcho, Ipv4, PROTOCOL_ICMP};

/// An ICMP message for this machine. The chain is this function's. IRQL DISPATCH.
pub unsafe fn receive(interface: *mut Interface, header: &Ipv4, chain: Chain) {
    unsafe {
        let intact = ipr::sum(chain, Sum::ZERO).finish() == 0;
        match ipr::peek::<IcmpEcho>(chain, 0) {
            Some(echo) if intact && echo.kind == ECHO_REQUEST => {
                reply((*interface).address, header.source.get(), echo, chain);
            }
            _ => {}
        }
        packet::free(chain);
    }
}

unsafe fn reply(source: u32, destination: u32, request: IcmpEcho, chain: Chain) {
    unsafe {
        let length = ipr::total(chain);
        let frame = output::datagram(source, destination, PROTOCOL_ICMP, length);
        if frame.is_null() {
            return;
        }
        let to = output::payload(frame);
        ipr::copy_out(chain, 0, to, length);
        let mut echo = IcmpEcho {
            kind: ECHO_REPLY,
            checksum: 0.into(),
            ..request
        };
        write_unaligned(to.cast(), echo);
        let message = core::slice::from_raw_parts(to, length as usize);
        echo.checksum = Sum::ZERO.over(message).finish().into();
        write_unaligned(to.cast(), echo);
        output::send(frame);
    }
}
