//! What a session is known by: protocol, direction, and the endpoints at both ends.

use crate::address::Endpoint;

/// An IP protocol number; only the three below are translated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[repr(transparent)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP, protocol 1.
    pub const ICMP: Protocol = Protocol(1);
    /// TCP, protocol 6.
    pub const TCP: Protocol = Protocol(6);
    /// UDP, protocol 17.
    pub const UDP: Protocol = Protocol(17);
}

/// Which way a packet crosses the boundary; the numbers are `IP_NAT_DIRECTION` of MS-RRASM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Direction {
    /// From the public network to a private host.
    Inbound = 0,
    /// From a private host to the public network.
    Outbound = 1,
}

impl Direction {
    /// The other one.
    pub const fn reversed(self) -> Direction {
        match self {
            Direction::Inbound => Direction::Outbound,
            Direction::Outbound => Direction::Inbound,
        }
    }
}

/// The endpoints of a packet as the router sees them.
///
/// `local` is the end on the router's side: before translation the private endpoint of an outbound
/// packet, the public endpoint of an inbound one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    /// Its protocol.
    pub protocol: Protocol,
    /// The end that translation rewrites.
    pub local: Endpoint,
    /// The end that it leaves alone; port 0 for ICMP, which has one identifier for both ends.
    pub remote: Endpoint,
}
