//! How far a conversation has come, seen from one of its ends.

use std::collections::BTreeMap;

use etherparse::{Icmpv4Type, NetSlice, SlicedPacket, TransportSlice};

use super::frame::End;
use super::packet::TcpFlags;
use super::plan::Protocol;

/// How far a flow has come, seen from its host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Conversation {
    /// The other end, if it is known.
    pub remote: Option<End>,
    /// Sequence number of the remote's SYN.
    pub remote_isn: Option<u32>,
    /// TCP: where the next new segment of the host begins, in bytes after its SYN.
    pub sent: u32,
    /// TCP: bytes received in order after the remote's SYN; else bytes in all.
    pub received: u32,
    /// TCP: ranges received beyond `received`, start to end.
    early: BTreeMap<u32, u32>,
    /// TCP: bytes after the host's SYN that the remote acknowledged.
    pub acked: Option<u32>,
    /// Packets received.
    pub packets: u32,
    /// TCP: segments received by their flags.
    pub flags: BTreeMap<TcpFlags, u32>,
}

/// What counts of a TCP segment that the drivers sent.
pub(super) struct Segment {
    pub flags: TcpFlags,
    pub sequence: u32,
    pub ack: u32,
    /// Bytes of data; a FIN counts as one.
    pub length: u32,
}

/// An IPv4 packet that the drivers sent.
pub(super) struct Packet {
    pub from: End,
    pub to: End,
    pub protocol: Protocol,
    /// TCP only.
    pub segment: Option<Segment>,
    /// Bytes of data.
    pub length: u32,
}

impl Conversation {
    /// Nothing was said yet.
    pub fn new(remote: Option<End>) -> Conversation {
        Conversation {
            remote,
            ..Conversation::default()
        }
    }

    /// Takes a segment of the remote into account; `isn` is the host's own.
    pub fn take(&mut self, segment: &Segment, isn: u32) {
        *self.flags.entry(segment.flags).or_default() += 1;
        if segment.flags.contains(TcpFlags::SYN) {
            self.remote_isn = Some(segment.sequence);
        }
        if segment.flags.contains(TcpFlags::ACK) {
            let offset = segment.ack.wrapping_sub(isn).wrapping_sub(1);
            // An acknowledgment from before the SYN looks like one far ahead: leave it out.
            if offset < 1 << 31 {
                self.acked = self.acked.max(Some(offset));
            }
        }
        let Some(remote_isn) = self.remote_isn else {
            return;
        };
        let first = segment.sequence.wrapping_sub(remote_isn).wrapping_sub(1);
        let end = first.wrapping_add(segment.length);
        // What begins before the SYN looks like something far ahead: leave it out.
        let is_text = segment.length > 0 && first < 1 << 31 && end < 1 << 31;
        if segment.flags.contains(TcpFlags::SYN) || !is_text {
            return;
        }
        let known_end = self.early.entry(first).or_insert(end);
        *known_end = end.max(*known_end);
        while let Some((&start, &end)) = self.early.first_key_value() {
            if start > self.received {
                break;
            }
            self.received = self.received.max(end);
            self.early.remove(&start);
        }
    }
}

/// The IPv4 packet of a conversation in a frame; `None` for other protocols and for fragments.
pub(super) fn packet(sliced: &SlicedPacket<'_>) -> Option<Packet> {
    let Some(NetSlice::Ipv4(ip)) = &sliced.net else {
        return None;
    };
    let (from, to) = (ip.header().source_addr(), ip.header().destination_addr());
    let packet = |from_port, to_port, protocol, segment, data: &[u8]| {
        let (from, to) = ((from, from_port), (to, to_port));
        Some(Packet {
            from,
            to,
            protocol,
            segment,
            length: data.len() as u32,
        })
    };
    match sliced.transport.as_ref()? {
        TransportSlice::Tcp(tcp) => {
            // Byte 13 of the header is the flags as TcpFlags has them (RFC 9293).
            let flags = TcpFlags(tcp.slice()[13]);
            let segment = Segment {
                flags,
                sequence: tcp.sequence_number(),
                ack: tcp.acknowledgment_number(),
                length: tcp.payload().len() as u32 + u32::from(flags.contains(TcpFlags::FIN)),
            };
            let (from, to) = (tcp.source_port(), tcp.destination_port());
            packet(from, to, Protocol::Tcp, Some(segment), tcp.payload())
        }
        TransportSlice::Udp(udp) => packet(
            udp.source_port(),
            udp.destination_port(),
            Protocol::Udp,
            None,
            udp.payload(),
        ),
        TransportSlice::Icmpv4(icmp) => match icmp.icmp_type() {
            Icmpv4Type::EchoRequest(echo) => {
                packet(echo.id, 0, Protocol::Icmp, None, icmp.payload())
            }
            Icmpv4Type::EchoReply(echo) => packet(0, echo.id, Protocol::Icmp, None, icmp.payload()),
            _ => None,
        },
        TransportSlice::Igmp(_) | TransportSlice::Icmpv6(_) => None,
    }
}
