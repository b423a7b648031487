//! The headers of a packet, read and rewritten.
//!
//! A packet here is the first [`HEADERS_MAX`] bytes of an IPv4 packet in one piece: all that a
//! translator looks at. Rewriting an endpoint keeps every checksum right that covers it, by RFC
//! 1624: the IP header's, the transport's over ports and pseudo header, and for an ICMP error also
//! those of the packet it carries, and its own over all of that.

use crate::address::{Address, Endpoint};
use crate::checksum;
use crate::flow::{Direction, Flow, Protocol};
use crate::icmp;

/// The longest run of headers that matters: an IP header with options, an ICMP header, the header
/// of the packet it reports with options, and its transport header up to the TCP checksum.
pub const HEADERS_MAX: usize = 60 + 8 + 60 + 18;

/// Why a packet can't be translated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsuitable {
    /// Too short, or a length that contradicts itself.
    Malformed,
    /// A fragment: only the first one has ports. Reassembly is not modelled.
    Fragment,
    /// A protocol, or a kind of ICMP message, that doesn't cross the boundary.
    Protocol,
}

/// One end of a header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Destination,
}

impl Side {
    /// The end on the router's side of a packet with this direction.
    fn local(direction: Direction) -> Side {
        match direction {
            Direction::Outbound => Side::Source,
            Direction::Inbound => Side::Destination,
        }
    }

    fn opposite(self) -> Side {
        match self {
            Side::Source => Side::Destination,
            Side::Destination => Side::Source,
        }
    }
}

/// A checksum field.
#[derive(Clone, Copy)]
struct Sum {
    at: usize,
    udp: bool,
}

/// Where the fields of one IP header and its transport header stand.
#[derive(Clone, Copy)]
struct Fields {
    ip: usize,
    transport: usize,
    protocol: Protocol,
}

impl Fields {
    /// Finds the fields of the IP packet at `ip`.
    fn find(bytes: &[u8], ip: usize) -> Result<Fields, Unsuitable> {
        let header = bytes.get(ip..ip + 20).ok_or(Unsuitable::Malformed)?;
        let length = usize::from(header[0] & 0x0F) * 4;
        let transport = ip + length;
        if header[0] >> 4 != 4 || length < 20 || bytes.len() < transport + 8 {
            return Err(Unsuitable::Malformed);
        }
        // Any offset, or more fragments to come; the "don't fragment" bit is no matter.
        if word(header, 6) & 0x3FFF != 0 {
            return Err(Unsuitable::Fragment);
        }
        let protocol = Protocol(header[9]);
        match protocol {
            Protocol::ICMP | Protocol::TCP | Protocol::UDP => Ok(Fields {
                ip,
                transport,
                protocol,
            }),
            _ => Err(Unsuitable::Protocol),
        }
    }

    fn address_at(self, side: Side) -> usize {
        match side {
            Side::Source => self.ip + 12,
            Side::Destination => self.ip + 16,
        }
    }

    fn port_at(self, side: Side) -> usize {
        match (self.protocol, side) {
            (Protocol::ICMP, _) => self.transport + 4,
            (_, Side::Source) => self.transport,
            (_, Side::Destination) => self.transport + 2,
        }
    }

    fn header_sum(self) -> Sum {
        Sum {
            at: self.ip + 10,
            udp: false,
        }
    }

    fn transport_sum(self) -> Sum {
        let offset = match self.protocol {
            Protocol::TCP => 16,
            Protocol::UDP => 6,
            _ => 2,
        };
        Sum {
            at: self.transport + offset,
            udp: self.protocol == Protocol::UDP,
        }
    }
}

/// The headers of a packet that can be translated.
pub struct Packet<'a> {
    bytes: &'a mut [u8],
    outer: Fields,
    /// The packet that an ICMP error reports.
    inner: Option<Fields>,
}

impl<'a> Packet<'a> {
    /// Reads headers; `bytes` may hold more than those.
    pub fn parse(bytes: &'a mut [u8]) -> Result<Packet<'a>, Unsuitable> {
        let outer = Fields::find(bytes, 0)?;
        let inner = match outer.protocol {
            Protocol::ICMP => match icmp::kind(bytes[outer.transport]) {
                icmp::Kind::Query => None,
                icmp::Kind::Error => Some(Fields::find(bytes, outer.transport + 8)?),
                icmp::Kind::Other => return Err(Unsuitable::Protocol),
            },
            Protocol::TCP if bytes.len() < outer.transport + 20 => {
                return Err(Unsuitable::Malformed);
            }
            _ => None,
        };
        Ok(Packet {
            bytes,
            outer,
            inner,
        })
    }

    /// The length of the whole packet as its header has it, in bytes.
    pub fn total_length(&self) -> u16 {
        word(self.bytes, 2)
    }

    /// True for an ICMP error, which belongs to the session of [`Packet::reported`].
    pub fn is_error(&self) -> bool {
        self.inner.is_some()
    }

    /// The flow of a packet that crosses the boundary in `direction`.
    pub fn flow(&self, direction: Direction) -> Flow {
        self.flow_of(self.outer, Side::local(direction))
    }

    /// The flow of the packet that an ICMP error in `direction` reports, from the router's side:
    /// an inbound error is about a packet that went out.
    pub fn reported(&self, direction: Direction) -> Option<Flow> {
        Some(self.flow_of(self.inner?, Side::local(direction.reversed())))
    }

    fn flow_of(&self, fields: Fields, local: Side) -> Flow {
        let end = |side: Side| {
            let at = fields.address_at(side);
            let address =
                u32::from(word(self.bytes, at)) << 16 | u32::from(word(self.bytes, at + 2));
            Endpoint::new(Address(address), word(self.bytes, fields.port_at(side)))
        };
        let mut remote = end(local.opposite());
        if fields.protocol == Protocol::ICMP {
            remote.port = 0;
        }
        Flow {
            protocol: fields.protocol,
            local: end(local),
            remote,
        }
    }

    /// The flag byte of a TCP header, 0 for another protocol.
    pub fn tcp_flags(&self) -> u8 {
        match self.outer.protocol {
            Protocol::TCP => self.bytes[self.outer.transport + 13],
            _ => 0,
        }
    }

    /// Rewrites the end on the router's side. In an ICMP error that is the address of the error
    /// and the endpoint of the packet it reports.
    pub fn set_local(&mut self, direction: Direction, to: Endpoint) {
        match self.inner {
            None => self.rewrite(self.outer, Side::local(direction), to, None),
            Some(inner) => {
                let around = Some(self.outer.transport_sum());
                let inner_side = Side::local(direction.reversed());
                self.rewrite(inner, inner_side, to, around);
                let at = self.outer.address_at(Side::local(direction));
                self.put_address(at, to.address, &[self.outer.header_sum()], None);
            }
        }
    }

    fn rewrite(&mut self, fields: Fields, side: Side, to: Endpoint, around: Option<Sum>) {
        let (header, transport) = (fields.header_sum(), fields.transport_sum());
        // The packet inside an ICMP error may end before its transport checksum.
        let whole = transport.at + 2 <= self.bytes.len();
        let address_sums: &[Sum] = match fields.protocol {
            Protocol::ICMP => &[header],
            _ if whole => &[header, transport],
            _ => &[header],
        };
        let port_sums: &[Sum] = if whole { &[transport] } else { &[] };
        self.put_address(fields.address_at(side), to.address, address_sums, around);
        self.put(fields.port_at(side), to.port, port_sums, around);
    }

    fn put_address(&mut self, at: usize, to: Address, sums: &[Sum], around: Option<Sum>) {
        self.put(at, (to.0 >> 16) as u16, sums, around);
        self.put(at + 2, to.0 as u16, sums, around);
    }

    /// Writes one word and updates the checksums over it. `around` is the checksum of an ICMP
    /// error, which covers the word and those checksums.
    fn put(&mut self, at: usize, new: u16, sums: &[Sum], around: Option<Sum>) {
        let old = word(self.bytes, at);
        set_word(self.bytes, at, new);
        for sum in sums {
            let before = word(self.bytes, sum.at);
            self.update(*sum, old, new);
            if let Some(outer) = around {
                self.update(outer, before, word(self.bytes, sum.at));
            }
        }
        if let Some(outer) = around {
            self.update(outer, old, new);
        }
    }

    fn update(&mut self, sum: Sum, old: u16, new: u16) {
        let before = word(self.bytes, sum.at);
        let after = if sum.udp {
            checksum::update_udp(before, old, new)
        } else {
            checksum::update(before, old, new)
        };
        set_word(self.bytes, sum.at, after);
    }
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn set_word(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}
