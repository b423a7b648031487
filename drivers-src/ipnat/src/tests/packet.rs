use super::wire::*;
use crate::address::Endpoint;
use crate::flow::{Direction, Protocol};
use crate::packet::{HEADERS_MAX, Packet, Unsuitable};

/// Rewrites the local end of a packet; every checksum must be as if it had been summed.
fn rewritten(mut bytes: Vec<u8>, direction: Direction, to: Endpoint) -> Vec<u8> {
    let length = bytes.len().min(HEADERS_MAX);
    Packet::parse(&mut bytes[..length])
        .expect("a packet that can be translated")
        .set_local(direction, to);
    bytes
}

#[test]
fn every_protocol_and_direction_keeps_its_checksums() {
    let to = endpoint("203.0.113.77:61234");
    let (a, b) = ("192.168.0.2:1025", "198.51.100.9:80");
    for direction in [Direction::Outbound, Direction::Inbound] {
        for packet in [
            tcp(a, b, 2),
            udp(a, b),
            udp_with(a, b, false, 0),
            udp_with(a, b, true, 40),
            echo(8, "192.168.0.2", "198.51.100.9", 7),
        ] {
            let before = ends(&packet);
            let icmp = packet[9] == 1;
            let after = rewritten(packet, direction, to);
            check(&after);
            let new = match icmp {
                true => "203.0.113.77".to_string(),
                false => "203.0.113.77:61234".to_string(),
            };
            match direction {
                Direction::Outbound => assert_eq!(ends(&after), (new, before.1)),
                Direction::Inbound => assert_eq!(ends(&after), (before.0, new)),
            }
            if icmp {
                assert_eq!(after[24..26], 61234u16.to_be_bytes());
            }
        }
    }
}

#[test]
fn a_datagram_without_checksum_stays_without() {
    let packet = udp_with("10.0.0.1:5", "10.0.0.2:6", false, 0);
    let after = rewritten(packet, Direction::Outbound, endpoint("9.9.9.9:9999"));
    assert_eq!(after[26..28], [0, 0]);
}

/// A checksum that comes out as zero must be sent as all ones, or it would say "none".
#[test]
fn a_udp_checksum_never_becomes_zero() {
    let packet = udp("10.0.0.1:5", "10.0.0.2:6");
    let mut seen = false;
    for port in 0..=u16::MAX {
        let to = Endpoint::new(address("10.0.0.9"), port);
        let after = rewritten(packet.clone(), Direction::Outbound, to);
        check(&after);
        assert_ne!(after[26..28], [0, 0]);
        seen |= after[26..28] == [0xFF, 0xFF];
    }
    assert!(seen, "no port led to the sum this test is about");
}

/// RFC 5508 REQ-4 and REQ-5: the carried packet is translated back, with its own checksums, and
/// the error's checksum covers all of that.
#[test]
fn an_error_is_translated_inside_and_outside() {
    let to = endpoint("192.168.0.2:1025");
    for carried in [
        udp("203.0.113.10:50001", "198.51.100.9:53"),
        tcp("203.0.113.10:50001", "198.51.100.9:80", 2),
        echo(8, "203.0.113.10", "198.51.100.9", 7),
    ] {
        for length in [28, 36, 38, carried.len()] {
            let error = unreachable("198.51.100.1", "203.0.113.10", &carried, length);
            check(&error);
            let after = rewritten(error, Direction::Inbound, to);
            check(&after);
            assert_eq!(&after[16..20], &[192, 168, 0, 2]);
            let inner = &after[28..];
            assert_eq!(&inner[12..16], &[192, 168, 0, 2]);
            if length == carried.len() {
                check(inner);
            }
        }
    }
}

#[test]
fn flows_name_the_local_end() {
    let mut bytes = udp("192.168.0.2:1025", "198.51.100.9:53");
    let packet = Packet::parse(&mut bytes).unwrap();
    let out = packet.flow(Direction::Outbound);
    assert_eq!(
        (out.local, out.remote),
        (endpoint("192.168.0.2:1025"), endpoint("198.51.100.9:53"))
    );
    let inward = packet.flow(Direction::Inbound);
    assert_eq!((inward.local, inward.remote), (out.remote, out.local));

    let mut bytes = echo(0, "198.51.100.9", "203.0.113.10", 77);
    let flow = Packet::parse(&mut bytes).unwrap().flow(Direction::Inbound);
    assert_eq!(flow.protocol, Protocol::ICMP);
    assert_eq!((flow.local.port, flow.remote.port), (77, 0));
}

#[test]
fn what_can_not_be_translated() {
    let good = udp("192.168.0.2:1025", "198.51.100.9:53");
    let parse = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        Packet::parse(&mut bytes).err()
    };
    assert_eq!(parse(&|_| ()), None);
    assert_eq!(
        parse(&|b| b[6] = 0x20),
        Some(Unsuitable::Fragment),
        "more fragments"
    );
    assert_eq!(
        parse(&|b| b[7] = 1),
        Some(Unsuitable::Fragment),
        "an offset"
    );
    assert_eq!(
        parse(&|b| b[0] = 0x65),
        Some(Unsuitable::Malformed),
        "version 6"
    );
    assert_eq!(
        parse(&|b| b[0] = 0x44),
        Some(Unsuitable::Malformed),
        "a short header"
    );
    assert_eq!(parse(&|b| b[9] = 47), Some(Unsuitable::Protocol), "GRE");
    for length in 0..28 {
        assert_eq!(
            parse(&|b| b.truncate(length)),
            Some(Unsuitable::Malformed),
            "{length} bytes"
        );
    }
}

/// Bytes of a stranger: no panic, and no byte beyond the headers changes.
#[test]
fn arbitrary_bytes_do_no_harm() {
    let mut random = 1u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for _ in 0..50_000 {
        let length = next() as usize % (HEADERS_MAX + 1);
        let mut bytes: Vec<u8> = (0..length).map(|_| next() as u8).collect();
        if length > 9 {
            bytes[0] = 0x40 | (5 + next() % 11) as u8;
            bytes[6..8].fill(0);
            bytes[9] = [1, 6, 17][next() as usize % 3];
        }
        if let Ok(mut packet) = Packet::parse(&mut bytes) {
            for direction in [Direction::Inbound, Direction::Outbound] {
                let _ = (
                    packet.flow(direction),
                    packet.reported(direction),
                    packet.tcp_flags(),
                );
                packet.set_local(direction, endpoint("1.2.3.4:5"));
            }
        }
    }
}
