//! Packets made and checked from scratch: every checksum is summed, never updated.

use crate::address::{Address, Endpoint};
use crate::checksum;
use crate::flow::Protocol;

/// `"10.0.0.1:80"` as endpoint.
pub fn endpoint(text: &str) -> Endpoint {
    let (host, port) = text.split_once(':').expect("address:port");
    Endpoint::new(address(host), port.parse().expect("a port"))
}

/// `"10.0.0.1"` as address.
pub fn address(text: &str) -> Address {
    let parts: Vec<u8> = text.split('.').map(|part| part.parse().unwrap()).collect();
    Address::from_bytes(parts.try_into().expect("four parts"))
}

fn put(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

fn get(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// The sum over the pseudo header and the transport part of an IP packet (RFC 9293, RFC 768).
fn transport_checksum(packet: &[u8]) -> u16 {
    let transport = usize::from(packet[0] & 15) * 4;
    let mut covered = Vec::new();
    if packet[9] != 1 {
        covered.extend_from_slice(&packet[12..20]);
        covered.extend_from_slice(&[0, packet[9]]);
        covered.extend_from_slice(&((packet.len() - transport) as u16).to_be_bytes());
    }
    covered.extend_from_slice(&packet[transport..]);
    checksum::of(&covered)
}

/// An IP packet with `options` bytes of IP options.
pub fn ip(protocol: Protocol, from: Address, to: Address, options: usize, body: &[u8]) -> Vec<u8> {
    let header = 20 + options;
    let mut packet = vec![0; header];
    packet[0] = 0x40 | (header / 4) as u8;
    put(&mut packet, 2, (header + body.len()) as u16);
    put(&mut packet, 4, 0x1234);
    packet[6] = 0x40;
    packet[8] = 128;
    packet[9] = protocol.0;
    packet[12..16].copy_from_slice(&from.to_bytes());
    packet[16..20].copy_from_slice(&to.to_bytes());
    packet[20..].fill(1);
    let sum = checksum::of(&packet);
    put(&mut packet, 10, sum);
    packet.extend_from_slice(body);
    packet
}

/// A TCP segment with these flags.
pub fn tcp(from: &str, to: &str, flags: u8) -> Vec<u8> {
    let (from, to) = (endpoint(from), endpoint(to));
    let mut body = vec![0; 20];
    put(&mut body, 0, from.port);
    put(&mut body, 2, to.port);
    body[7] = 9;
    body[12] = 0x50;
    body[13] = flags;
    body.extend_from_slice(b"hello");
    let mut packet = ip(Protocol::TCP, from.address, to.address, 0, &body);
    let sum = transport_checksum(&packet);
    put(&mut packet, 36, sum);
    packet
}

/// A UDP datagram, with a checksum or with the zero that stands for none.
pub fn udp_with(from: &str, to: &str, summed: bool, options: usize) -> Vec<u8> {
    let (from, to) = (endpoint(from), endpoint(to));
    let mut body = vec![0; 8];
    put(&mut body, 0, from.port);
    put(&mut body, 2, to.port);
    put(&mut body, 4, 13);
    body.extend_from_slice(b"query");
    let mut packet = ip(Protocol::UDP, from.address, to.address, options, &body);
    if summed {
        let sum = transport_checksum(&packet);
        put(
            &mut packet,
            20 + options + 6,
            if sum == 0 { 0xFFFF } else { sum },
        );
    }
    packet
}

/// A UDP datagram.
pub fn udp(from: &str, to: &str) -> Vec<u8> {
    udp_with(from, to, true, 0)
}

/// An ICMP echo request (8) or reply (0).
pub fn echo(message_type: u8, from: &str, to: &str, id: u16) -> Vec<u8> {
    let mut body = vec![message_type, 0, 0, 0];
    body.extend_from_slice(&id.to_be_bytes());
    body.extend_from_slice(b"\0\x01abcdefgh");
    let mut packet = ip(Protocol::ICMP, address(from), address(to), 0, &body);
    let sum = transport_checksum(&packet);
    put(&mut packet, 22, sum);
    packet
}

/// An ICMP "port unreachable" that carries the first `carried` bytes of a packet.
pub fn unreachable(from: &str, to: &str, about: &[u8], carried: usize) -> Vec<u8> {
    let mut body = vec![3, 3, 0, 0, 0, 0, 0, 0];
    body.extend_from_slice(&about[..carried.min(about.len())]);
    let mut packet = ip(Protocol::ICMP, address(from), address(to), 0, &body);
    let sum = transport_checksum(&packet);
    put(&mut packet, 22, sum);
    packet
}

/// Source and destination of a packet as text.
pub fn ends(packet: &[u8]) -> (String, String) {
    let transport = usize::from(packet[0] & 15) * 4;
    let host = |at: usize| {
        format!(
            "{}.{}.{}.{}",
            packet[at],
            packet[at + 1],
            packet[at + 2],
            packet[at + 3]
        )
    };
    if packet[9] == 1 {
        return (host(12), host(16));
    }
    (
        format!("{}:{}", host(12), get(packet, transport)),
        format!("{}:{}", host(16), get(packet, transport + 2)),
    )
}

/// Checks the IP header's and the transport's checksum by summing.
#[track_caller]
pub fn check(packet: &[u8]) {
    let transport = usize::from(packet[0] & 15) * 4;
    assert_eq!(checksum::of(&packet[..transport]), 0, "IP header checksum");
    if packet[9] == 17 && get(packet, transport + 6) == 0 {
        return;
    }
    assert_eq!(transport_checksum(packet), 0, "transport checksum");
}
