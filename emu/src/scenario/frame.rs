//! Templates to bytes: Ethernet frames with right (or, on request, wrong) lengths and checksums.

use std::net::Ipv4Addr;

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, EtherType, Ethernet2Header, IcmpEchoHeader, Icmpv4Header,
    Icmpv4Type, IpFragOffset, IpNumber, Ipv4Header, TcpHeader, UdpHeader,
};

use super::packet::{
    ArpTemplate, Checksum, EchoTemplate, IpTemplate, Link, TcpFlags, TcpTemplate, Transport,
    UdpTemplate,
};

/// Shortest Ethernet frame without its check sequence; shorter ones are padded (IEEE 802.3).
const FRAME_MIN: usize = 60;

/// One end of a conversation.
pub(super) type End = (Ipv4Addr, u16);

/// The numbers that a segment's own and the remote's offset 0 have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Numbers {
    /// Sequence number of the sender's SYN.
    pub isn: u32,
    /// Acknowledgment number unless the template has its own.
    pub ack: u32,
    /// Sequence number of the remote's SYN.
    pub remote_isn: u32,
}

/// An ARP frame.
pub(super) fn arp(template: &ArpTemplate) -> Vec<u8> {
    let packet = ArpEthIpv4Packet {
        operation: if template.request {
            ArpOperation::REQUEST
        } else {
            ArpOperation::REPLY
        },
        sender_mac: template.sender_mac,
        sender_ipv4: template.sender_ip.octets(),
        target_mac: template.target_mac,
        target_ipv4: template.target_ip.octets(),
    };
    ethernet(template.link, EtherType::ARP, &packet.to_bytes())
}

/// An IPv4 frame between two ends.
pub(super) fn ip(template: &IpTemplate, from: End, to: End, numbers: Numbers) -> Vec<u8> {
    let (protocol, mut payload) = match &template.transport {
        Transport::Tcp(segment) => (IpNumber::TCP, tcp(segment, from, to, numbers)),
        Transport::Udp(datagram) => (IpNumber::UDP, udp(datagram, from, to)),
        Transport::Echo(echo) => (IpNumber::ICMP, icmp(echo, from, to)),
    };
    let mut header = Ipv4Header {
        time_to_live: template.ttl,
        identification: template.id,
        dont_fragment: template.dont_fragment,
        protocol,
        source: from.0.octets(),
        destination: to.0.octets(),
        ..Ipv4Header::default()
    };
    if let Some(part) = template.fragment {
        let start = usize::from(part.offset).min(payload.len());
        let end = (start + usize::from(part.length)).min(payload.len());
        payload = payload[start..end].to_vec();
        header.more_fragments = part.more;
        header.fragment_offset = IpFragOffset::try_new(part.offset / 8).unwrap_or_default();
    }
    header.total_len = (header.header_len() + payload.len()) as u16;
    header.header_checksum = fill(template.checksum, header.calc_header_checksum());
    let mut packet = header.to_bytes().to_vec();
    packet.extend(payload);
    ethernet(template.link, EtherType::IPV4, &packet)
}

fn tcp(segment: &TcpTemplate, from: End, to: End, numbers: Numbers) -> Vec<u8> {
    let has = |flag| segment.flags.contains(flag);
    let sequence = match has(TcpFlags::SYN) {
        true => numbers.isn,
        false => numbers.isn.wrapping_add(1).wrapping_add(segment.offset),
    };
    let mut header = TcpHeader::new(from.1, to.1, sequence, segment.window);
    header.fin = has(TcpFlags::FIN);
    header.syn = has(TcpFlags::SYN);
    header.rst = has(TcpFlags::RST);
    header.psh = has(TcpFlags::PSH);
    header.ack = has(TcpFlags::ACK);
    header.urg = has(TcpFlags::URG);
    header.ece = has(TcpFlags(1 << 6));
    header.cwr = has(TcpFlags(1 << 7));
    header.urgent_pointer = segment.urgent;
    if header.ack {
        let own = segment
            .ack
            .map(|n| numbers.remote_isn.wrapping_add(1).wrapping_add(n));
        header.acknowledgment_number = own.unwrap_or(numbers.ack);
    }
    if let Some(mss) = segment.mss {
        let [high, low] = mss.to_be_bytes();
        // Kind 2, length 4; a header without other options has room for it.
        let _ = header.set_options_raw(&[2, 4, high, low]);
    }
    let right = header.calc_checksum_ipv4_raw(from.0.octets(), to.0.octets(), &segment.data);
    header.checksum = fill(segment.checksum, right.unwrap_or(0));
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend(&segment.data);
    bytes
}

fn udp(datagram: &UdpTemplate, from: End, to: End) -> Vec<u8> {
    let mut header = UdpHeader {
        source_port: from.1,
        destination_port: to.1,
        length: (UdpHeader::LEN + datagram.data.len()) as u16,
        checksum: 0,
    };
    let right = header.calc_checksum_ipv4_raw(from.0.octets(), to.0.octets(), &datagram.data);
    header.checksum = fill(datagram.checksum, right.unwrap_or(0));
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend(&datagram.data);
    bytes
}

fn icmp(echo: &EchoTemplate, from: End, to: End) -> Vec<u8> {
    // The identifier belongs to who asked.
    let id = if echo.request { from.1 } else { to.1 };
    let fields = IcmpEchoHeader {
        id,
        seq: echo.sequence,
    };
    let kind = match echo.request {
        true => Icmpv4Type::EchoRequest(fields),
        false => Icmpv4Type::EchoReply(fields),
    };
    let mut header = Icmpv4Header::with_checksum(kind, &echo.data);
    header.checksum = fill(echo.checksum, header.checksum);
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend(&echo.data);
    bytes
}

fn ethernet(link: Link, ether_type: EtherType, payload: &[u8]) -> Vec<u8> {
    let header = Ethernet2Header {
        source: link.source,
        destination: link.destination,
        ether_type,
    };
    let mut frame = header.to_bytes().to_vec();
    frame.extend(payload);
    frame.resize(frame.len().max(FRAME_MIN), 0);
    frame
}

fn fill(how: Checksum, right: u16) -> u16 {
    match how {
        Checksum::Right => right,
        Checksum::Wrong => !right,
        Checksum::None => 0,
    }
}
