//! The hosts of a scenario against an imagined machine: sequence numbers, acknowledgments, ARP,
//! flows whose other end is not known beforehand, and checksums reckoned independently.

use std::net::Ipv4Addr;

use emu::scenario::{Await, PacketTemplate, Peer, Plan, Selection, StreamStep, parse, summary};
use etherparse::{ArpHardwareId, ArpOperation, ArpPacket, EtherType, PacketBuilder};

const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PRELUDE: &str = r#"
title = "A title"
summary = "One line"
machine = { profiles = ["i386"], personalities = ["nt4"] }
[[adapter]]
name = "A"
mac = "02-00-00-00-00-01"
[[adapter]]
name = "B"
[[host]]
name = "h"
adapter = "A"
ip = "10.0.0.2"
mac = "02-00-00-00-00-02"
"#;

fn plan(rest: &str) -> Plan {
    let scenario =
        parse("peer.toml", &format!("{PRELUDE}{rest}")).unwrap_or_else(|e| panic!("{e}"));
    let files = |_: &str| Err(String::new());
    scenario
        .expand(&Selection::default(), &files)
        .unwrap_or_else(|e| panic!("{e}"))
}

/// The packets of a stream.
fn packets(plan: &Plan, stream: usize) -> Vec<&PacketTemplate> {
    let sends = plan.streams[stream].steps.iter();
    sends
        .filter_map(|s| {
            if let StreamStep::Send(packet) = s {
                Some(packet)
            } else {
                None
            }
        })
        .collect()
}

/// A segment from the machine: (ports, flags as letters, seq, ack, data).
fn segment(ports: (u16, u16), flags: &str, seq: u32, ack: u32, data: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(ROUTER, [2, 0, 0, 0, 0, 2])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 128)
        .tcp(ports.0, ports.1, seq, 8760);
    let builder = flags.chars().fold(builder, |b, flag| match flag {
        'S' => b.syn(),
        'A' => b.ack(ack),
        'F' => b.fin(),
        'R' => b.rst(),
        _ => b.psh(),
    });
    let mut frame = Vec::new();
    builder.write(&mut frame, data).unwrap();
    frame
}

fn datagram(from: ([u8; 4], u16), to: ([u8; 4], u16), data: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(ROUTER, [2, 0, 0, 0, 0, 2]).ipv4(from.0, to.0, 128);
    let mut frame = Vec::new();
    builder.udp(from.1, to.1).write(&mut frame, data).unwrap();
    frame
}

/// The sum of RFC 1071 over big-endian words; 0xFFFF over what includes a right checksum.
fn sum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    let mut sum: u32 = bytes.chunks(2).map(word).sum();
    while sum >> 16 != 0 {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

/// Sums of the IPv4 header, and of the transport with its pseudo header, of a frame.
fn sums(frame: &[u8]) -> (u16, u16) {
    let ip = &frame[14..];
    let total = usize::from(ip[2]) << 8 | usize::from(ip[3]);
    let payload = &ip[20..total];
    let mut pseudo = ip[12..20].to_vec();
    if ip[9] != 1 {
        pseudo.extend([0, ip[9], (payload.len() >> 8) as u8, payload.len() as u8]);
    } else {
        pseudo.clear();
    }
    pseudo.extend(payload);
    (sum(&ip[..20]), sum(&pseudo))
}

const CONVERSATION: &str = r#"
[[stream]]
name = "s"
host = "h"
tcp = { port = 1025, to = "10.0.0.1", to_port = 21, isn = 100 }
step = [
    { send = "S", mss = 1460 },
    { await = { flags = "SA" } },
    { send = "A" },
    { send = "PA", data = "USER x\r\n" },
    { send = "PAU", offset = "sent + 4", urgent = 2, data = "ab" },
    { send = "FA" },
]
"#;

#[test]
fn scenario_peer_numbers() {
    let plan = plan(CONVERSATION);
    let packets = packets(&plan, 0);
    let mut peer = Peer::new(&plan);
    assert_eq!(
        summary(&peer.build(packets[0])),
        "10.0.0.2:1025 > 10.0.0.1:21 S seq 100 len 0"
    );

    // The server's number is near the end of the numbers, so that everything wraps.
    let isn = u32::MAX - 2;
    let flags = |letters: &str| Await::Flags {
        flow: 0,
        flags: emu::scenario::TcpFlags::from_letters(letters).unwrap(),
        count: 1,
    };
    assert!(!peer.reached(&flags("SA")));
    let observed = peer.observe(0, &segment((21, 1025), "SA", isn, 101, b""));
    assert_eq!((observed.flow, observed.replies.len()), (Some(0), 0));
    assert!(peer.reached(&flags("SA")) && peer.reached(&flags("S")) && !peer.reached(&flags("F")));

    let line = |peer: &mut Peer, at: usize| summary(&peer.build(packets[at]));
    let ends = "10.0.0.2:1025 > 10.0.0.1:21";
    assert_eq!(
        line(&mut peer, 1),
        format!("{ends} A seq 101 ack 4294967294 len 0")
    );
    assert_eq!(
        line(&mut peer, 2),
        format!("{ends} PA seq 101 ack 4294967294 len 8")
    );

    // Data: the host acknowledges it by itself, from where its own next byte will be.
    let observed = peer.observe(
        0,
        &segment((21, 1025), "PA", isn.wrapping_add(1), 109, b"220 x"),
    );
    let replies: Vec<String> = observed
        .replies
        .iter()
        .map(|frame| summary(frame))
        .collect();
    assert_eq!(replies, [format!("{ends} A seq 109 ack 3 len 0")]);
    assert!(peer.reached(&Await::Acked { flow: 0, offset: 8 }));
    assert!(!peer.reached(&Await::Acked { flow: 0, offset: 9 }));
    assert!(peer.reached(&Await::Received { flow: 0, bytes: 5 }));

    // Out of order: nothing is acknowledged beyond the gap until it closes.
    let early = peer.observe(0, &segment((21, 1025), "PA", 5, 109, b"cd"));
    assert_eq!(
        summary(&early.replies[0]),
        format!("{ends} A seq 109 ack 3 len 0")
    );
    let gap = peer.observe(0, &segment((21, 1025), "PA", 3, 109, b"ab"));
    assert_eq!(
        summary(&gap.replies[0]),
        format!("{ends} A seq 109 ack 7 len 0")
    );

    assert_eq!(
        line(&mut peer, 3),
        format!("{ends} PAU seq 113 ack 7 len 2 urg 2")
    );
    assert_eq!(line(&mut peer, 4), format!("{ends} FA seq 115 ack 7 len 0"));
    let fin = peer.observe(0, &segment((21, 1025), "FA", 7, 116, b""));
    assert_eq!(
        summary(&fin.replies[0]),
        format!("{ends} A seq 116 ack 8 len 0")
    );
    assert!(peer.reached(&flags("F")) && peer.reached(&Await::Packets { flow: 0, count: 5 }));
}

#[test]
fn scenario_peer_is_a_value() {
    let plan = plan(CONVERSATION);
    let mut peer = Peer::new(&plan);
    let before = peer.clone();
    peer.observe(0, &segment((21, 1025), "SA", 7, 101, b""));
    assert_ne!(peer, before);
    let mut again = before.clone();
    again.observe(0, &segment((21, 1025), "SA", 7, 101, b""));
    assert_eq!(peer, again);
}

#[test]
fn scenario_peer_sees_only_its_wire() {
    let plan = plan(CONVERSATION);
    let mut peer = Peer::new(&plan);
    let frame = segment((21, 1025), "SA", 7, 101, b"");
    assert_eq!(peer.observe(1, &frame).flow, None);
    assert_eq!(
        peer.observe(0, &segment((22, 1025), "SA", 7, 101, b""))
            .flow,
        None
    );
    assert_eq!(peer.observe(0, &frame).flow, Some(0));
}

#[test]
fn scenario_peer_answers_arp() {
    let plan = plan(CONVERSATION);
    let mut peer = Peer::new(&plan);
    let ask = |target: [u8; 4]| {
        let mut frame = Vec::new();
        let packet = ArpPacket::new(
            ArpHardwareId::ETHERNET,
            EtherType::IPV4,
            ArpOperation::REQUEST,
            &ROUTER,
            &[10, 0, 0, 1],
            &[0; 6],
            &target,
        );
        let builder = PacketBuilder::ethernet2(ROUTER, [0xFF; 6]).arp(packet.unwrap());
        builder.write(&mut frame).unwrap();
        frame
    };
    assert_eq!(
        peer.observe(1, &ask([10, 0, 0, 2])).replies,
        Vec::<Vec<u8>>::new()
    );
    assert_eq!(
        peer.observe(0, &ask([10, 0, 0, 3])).replies,
        Vec::<Vec<u8>>::new()
    );
    let resolved = Await::Resolved {
        host: 0,
        ip: Ipv4Addr::new(10, 0, 0, 1),
    };
    assert!(!peer.reached(&resolved));
    let replies = peer.observe(0, &ask([10, 0, 0, 2])).replies;
    assert_eq!(summary(&replies[0]), "ARP 10.0.0.2 is at 02-00-00-00-00-02");
    assert_eq!(
        (&replies[0][..6], &replies[0][6..12]),
        (&ROUTER[..], &[2, 0, 0, 0, 0, 2][..])
    );
    assert_eq!(replies[0].len(), 60);
    assert!(peer.reached(&resolved));
}

#[test]
fn scenario_peer_finds_out_who_speaks() {
    let plan = plan(
        r#"
[[stream]]
name = "dns {n}"
repeat = 2
host = "h"
udp = { port = 53, accept = true }
step = [{ send = "datagram", data = "answer" }]
[[stream]]
name = "pong"
host = "h"
icmp = { accept = true }
step = [{ send = "echo reply", sequence = 9 }]
[[stream]]
name = "web"
host = "h"
tcp = { port = 80, accept = true, isn = 500 }
step = [{ send = "SA" }]
[[thread]]
name = "t"
step = [{ await = { packets = 2, adapter = "A", protocol = "udp", port = 53 } }]
"#,
    );
    let mut peer = Peer::new(&plan);
    let host = [10, 0, 0, 2];
    let flow = |peer: &mut Peer, from: ([u8; 4], u16)| {
        peer.observe(0, &datagram(from, (host, 53), b"q")).flow
    };
    assert_eq!(flow(&mut peer, ([1, 2, 3, 4], 5000)), Some(0));
    assert!(!peer.reached(&Await::Sent {
        matcher: 0,
        count: 2
    }));
    assert_eq!(flow(&mut peer, ([1, 2, 3, 4], 5000)), Some(0));
    assert!(peer.reached(&Await::Sent {
        matcher: 0,
        count: 2
    }));
    assert_eq!(flow(&mut peer, ([1, 2, 3, 4], 5001)), Some(1));
    assert_eq!(flow(&mut peer, ([9, 9, 9, 9], 5000)), None);
    assert_eq!(
        summary(&peer.build(packets(&plan, 1)[0])),
        "10.0.0.2:53 > 1.2.3.4:5001 UDP len 6"
    );

    let mut ping = Vec::new();
    let builder = PacketBuilder::ethernet2(ROUTER, [2; 6]).ipv4([1, 2, 3, 4], host, 9);
    builder
        .icmpv4_echo_request(77, 9)
        .write(&mut ping, b"abc")
        .unwrap();
    assert_eq!(peer.observe(0, &ping).flow, Some(2));
    assert_eq!(
        summary(&peer.build(packets(&plan, 2)[0])),
        "10.0.0.2 > 1.2.3.4 echo reply id 77 seq 9 len 0"
    );

    // Only a SYN begins a connection.
    assert_eq!(
        peer.observe(0, &segment((4000, 80), "A", 5, 6, b"")).flow,
        None
    );
    assert_eq!(
        peer.observe(0, &segment((4000, 80), "S", 40, 0, b"")).flow,
        Some(3)
    );
    assert_eq!(
        summary(&peer.build(packets(&plan, 3)[0])),
        "10.0.0.2:80 > 10.0.0.1:4000 SA seq 500 ack 41 len 0"
    );
}

#[test]
fn scenario_peer_checksums() {
    let plan = plan(
        r#"
[[stream]]
name = "tcp"
host = "h"
tcp = { port = 1025, to = "10.0.0.1", to_port = 21 }
step = [
    { send = "S", mss = 1460 },
    { send = "PAU", urgent = 3, data = "odd" },
    { send = "PA", data = "x", checksum = "wrong" },
    { send = "PA", data = "x", ip_checksum = "wrong" },
]
[[stream]]
name = "udp"
host = "h"
udp = { port = 1, to = "10.0.0.1", to_port = 2 }
step = [{ send = "datagram", data = "odd" }, { send = "datagram", checksum = "none" }]
[[stream]]
name = "ping"
host = "h"
icmp = { id = 7, to = "10.0.0.1" }
step = [{ send = "echo request", data = "odd" }]
"#,
    );
    let mut peer = Peer::new(&plan);
    let mut of = |stream: usize, at: usize| sums(&peer.build(packets(&plan, stream)[at]));
    for (stream, at) in [(0, 0), (0, 1), (1, 0), (2, 0)] {
        assert_eq!(
            of(stream, at),
            (0xFFFF, 0xFFFF),
            "stream {stream} packet {at}"
        );
    }
    let (ip, tcp) = of(0, 2);
    assert!(ip == 0xFFFF && tcp != 0xFFFF);
    let (ip, tcp) = of(0, 3);
    assert!(ip != 0xFFFF && tcp == 0xFFFF);
    let udp = peer.build(packets(&plan, 1)[1]);
    assert_eq!(&udp[14 + 20 + 6..14 + 20 + 8], &[0, 0]);
    // Frames are padded to the smallest that Ethernet has; the length in the header is not.
    assert_eq!((udp.len(), &udp[16..18]), (60, &[0, 28][..]));
}

#[test]
fn scenario_peer_fragments() {
    let plan = plan(
        r#"
[[stream]]
name = "udp"
host = "h"
udp = { port = 1, to = "10.0.0.1", to_port = 2 }
step = [
    { send = "datagram", id = 5, data = "0123456789abcdefghij", fragment = { offset = 0, length = 16, more = true } },
    { send = "datagram", id = 5, data = "0123456789abcdefghij", fragment = { offset = 16, length = 99, more = false } },
]
"#,
    );
    let mut peer = Peer::new(&plan);
    let [first, last] = packets(&plan, 0)[..] else {
        panic!("two fragments")
    };
    let (first, last) = (peer.build(first), peer.build(last));
    let field = |frame: &[u8], at: usize| u16::from_be_bytes([frame[14 + at], frame[15 + at]]);
    assert_eq!((field(&first, 2), field(&first, 6)), (36, 0x2000));
    assert_eq!((field(&last, 2), field(&last, 6)), (32, 2));
    assert_eq!((sums(&first).0, sums(&last).0), (0xFFFF, 0xFFFF));
    assert_eq!(&last[34..46], b"89abcdefghij");
    assert_eq!(summary(&last), "10.0.0.2 > 10.0.0.1 protocol 17 frag 16");
}

#[test]
fn scenario_peer_takes_any_bytes() {
    let plan = plan(CONVERSATION);
    let mut peer = Peer::new(&plan);
    let frame = segment((21, 1025), "SA", 7, 101, b"data");
    for length in 0..frame.len() {
        peer.observe(0, &frame[..length]);
        assert!(!summary(&frame[..length]).is_empty());
    }
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut damaged = frame.clone();
            damaged[at] ^= 1 << bit;
            peer.observe(0, &damaged);
            summary(&damaged);
        }
    }
}
