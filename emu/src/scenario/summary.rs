//! A frame in one line, for events and tables.

use std::fmt::Write;
use std::net::Ipv4Addr;

use etherparse::{
    ArpOperation, ArpPacketSlice, Icmpv4Slice, Icmpv4Type, LaxNetSlice, LaxSlicedPacket, TcpSlice,
    TransportSlice,
};

use super::packet::TcpFlags;

/// One line of what a frame is, for example
/// `10.0.0.2:1025 > 10.0.0.1:21 PAU seq 5 len 7 urg 3` with the sequence number as it is on the
/// wire. Works on any bytes.
pub fn summary(frame: &[u8]) -> String {
    let unknown = || format!("frame of {} bytes", frame.len());
    let Ok(sliced) = LaxSlicedPacket::from_ethernet(frame) else {
        return unknown();
    };
    match &sliced.net {
        Some(LaxNetSlice::Arp(arp)) => summary_of_arp(arp).unwrap_or_else(unknown),
        Some(LaxNetSlice::Ipv4(ip)) => {
            let (from, to) = (ip.header().source_addr(), ip.header().destination_addr());
            let mut line = match &sliced.transport {
                Some(TransportSlice::Tcp(tcp)) => summary_of_tcp(from, to, tcp),
                Some(TransportSlice::Udp(udp)) => {
                    let (source, destination) = (udp.source_port(), udp.destination_port());
                    let length = udp.payload().len();
                    format!("{from}:{source} > {to}:{destination} UDP len {length}")
                }
                Some(TransportSlice::Icmpv4(icmp)) => {
                    format!("{from} > {to} {}", summary_of_icmp(icmp))
                }
                _ => format!("{from} > {to} protocol {}", ip.header().protocol().0),
            };
            let header = ip.header();
            if header.is_fragmenting_payload() {
                let more = if header.more_fragments() { "+" } else { "" };
                let _ = write!(
                    line,
                    " frag {}{more}",
                    header.fragments_offset().byte_offset()
                );
            }
            line
        }
        _ => unknown(),
    }
}

fn summary_of_arp(arp: &ArpPacketSlice<'_>) -> Option<String> {
    let arp = arp.to_packet().try_eth_ipv4().ok()?;
    let (sender, target) = (arp.sender_ipv4_addr(), arp.target_ipv4_addr());
    match arp.operation {
        ArpOperation::REQUEST => Some(format!("ARP who has {target} tell {sender}")),
        ArpOperation::REPLY => Some(format!("ARP {sender} is at {}", mac(arp.sender_mac))),
        _ => None,
    }
}

fn summary_of_tcp(from: Ipv4Addr, to: Ipv4Addr, tcp: &TcpSlice<'_>) -> String {
    // Byte 13 of the header is the flags as TcpFlags has them (RFC 9293).
    let flags = TcpFlags(tcp.slice()[13]);
    let (source, destination) = (tcp.source_port(), tcp.destination_port());
    let (sequence, length) = (tcp.sequence_number(), tcp.payload().len());
    let mut line = format!("{from}:{source} > {to}:{destination} {flags} seq {sequence}");
    if flags.contains(TcpFlags::ACK) {
        let _ = write!(line, " ack {}", tcp.acknowledgment_number());
    }
    let _ = write!(line, " len {length}");
    if flags.contains(TcpFlags::URG) {
        let _ = write!(line, " urg {}", tcp.urgent_pointer());
    }
    line
}

fn summary_of_icmp(icmp: &Icmpv4Slice<'_>) -> String {
    let length = icmp.payload().len();
    match icmp.icmp_type() {
        Icmpv4Type::EchoRequest(echo) => {
            format!("echo request id {} seq {} len {length}", echo.id, echo.seq)
        }
        Icmpv4Type::EchoReply(echo) => {
            format!("echo reply id {} seq {} len {length}", echo.id, echo.seq)
        }
        _ => format!(
            "ICMP type {} code {} len {length}",
            icmp.type_u8(),
            icmp.code_u8()
        ),
    }
}

/// A station address as `02-00-00-00-00-01`, the way Windows writes it.
fn mac(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02X}")).join("-")
}
