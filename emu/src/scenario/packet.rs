//! Packets before they are sent: what is known of them without running the machine.
//!
//! Sequence and acknowledgment numbers are relative, because the remote's initial sequence number
//! is only known when it has answered. [`super::peer::Peer`] turns a template into a frame.

use std::fmt;
use std::net::Ipv4Addr;

/// A frame to put on a wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PacketTemplate {
    /// A whole Ethernet frame, without its check sequence.
    Frame(Vec<u8>),
    /// An ARP packet (RFC 826).
    Arp(ArpTemplate),
    /// An IPv4 packet of a flow.
    Ip(IpTemplate),
}

/// The addresses of an Ethernet frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// Who sends.
    pub source: [u8; 6],
    /// Who receives.
    pub destination: [u8; 6],
}

/// An ARP packet for IPv4 over Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArpTemplate {
    /// The frame's addresses.
    pub link: Link,
    /// True: a request; false: a reply.
    pub request: bool,
    /// Hardware address of the sender.
    pub sender_mac: [u8; 6],
    /// Protocol address of the sender.
    pub sender_ip: Ipv4Addr,
    /// Hardware address of the target; zero in a request.
    pub target_mac: [u8; 6],
    /// Protocol address of the target.
    pub target_ip: Ipv4Addr,
}

/// An IPv4 packet (RFC 791). Its addresses are those of its flow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IpTemplate {
    /// The frame's addresses.
    pub link: Link,
    /// Index of the flow.
    pub flow: usize,
    /// Time to live.
    pub ttl: u8,
    /// The identification field.
    pub id: u16,
    /// The don't-fragment flag.
    pub dont_fragment: bool,
    /// Send only a part of the IP payload.
    pub fragment: Option<Fragment>,
    /// The header checksum.
    pub checksum: Checksum,
    /// What it carries.
    pub transport: Transport,
}

/// A part of an IP payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fragment {
    /// First byte of the payload, a multiple of 8.
    pub offset: u16,
    /// Number of bytes; cut at the end of the payload.
    pub length: u16,
    /// The more-fragments flag.
    pub more: bool,
}

/// How a checksum field is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// As the standard says.
    #[default]
    Right,
    /// With every bit inverted.
    Wrong,
    /// With zero, which in UDP means that there is none.
    None,
}

/// What an IPv4 packet carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A TCP segment.
    Tcp(TcpTemplate),
    /// A UDP datagram.
    Udp(UdpTemplate),
    /// An ICMP echo message.
    Echo(EchoTemplate),
}

/// A TCP segment (RFC 9293).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TcpTemplate {
    /// Control flags.
    pub flags: TcpFlags,
    /// Number of its first byte, counted from the first byte after the sender's SYN: the
    /// sequence number is ISN + 1 + offset. A SYN ignores it: its number is the ISN.
    pub offset: u32,
    /// What it acknowledges, counted likewise from the remote's SYN; `None`: what was received.
    /// Without the ACK flag the field is zero.
    pub ack: Option<u32>,
    /// The window that the sender offers.
    pub window: u16,
    /// The urgent pointer; 0 without the URG flag.
    pub urgent: u16,
    /// The maximum segment size option.
    pub mss: Option<u16>,
    /// The checksum.
    pub checksum: Checksum,
    /// The data.
    pub data: Vec<u8>,
}

impl TcpTemplate {
    /// Where the next segment begins, counted like `offset`. A FIN takes a number of its own; the
    /// SYN's is not counted.
    pub fn end(&self) -> u32 {
        let length = self.data.len() as u32;
        match self.flags.contains(TcpFlags::SYN) {
            true => length,
            false => {
                let fin = u32::from(self.flags.contains(TcpFlags::FIN));
                self.offset.saturating_add(length).saturating_add(fin)
            }
        }
    }
}

/// A UDP datagram (RFC 768).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UdpTemplate {
    /// The checksum.
    pub checksum: Checksum,
    /// The data.
    pub data: Vec<u8>,
}

/// An ICMP echo message (RFC 792).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EchoTemplate {
    /// True: echo request; false: echo reply.
    pub request: bool,
    /// Its sequence number.
    pub sequence: u16,
    /// The checksum.
    pub checksum: Checksum,
    /// The data.
    pub data: Vec<u8>,
}

/// The control flags of a TCP segment, as in the header: FIN is bit 0, CWR bit 7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: TcpFlags = TcpFlags(1);
    /// Synchronize sequence numbers.
    pub const SYN: TcpFlags = TcpFlags(2);
    /// Reset the connection.
    pub const RST: TcpFlags = TcpFlags(4);
    /// Push.
    pub const PSH: TcpFlags = TcpFlags(8);
    /// The acknowledgment field is significant.
    pub const ACK: TcpFlags = TcpFlags(16);
    /// The urgent pointer is significant.
    pub const URG: TcpFlags = TcpFlags(32);

    /// Letters of the flags from bit 0 on.
    const LETTERS: &'static str = "FSRPAUEC";

    /// Flags from their letters, in any order: F S R P A U E C.
    ///
    /// # Errors
    /// The first character that is none of them.
    pub fn from_letters(letters: &str) -> Result<TcpFlags, char> {
        let bit = |c| Self::LETTERS.find(c).map(|at| 1u8 << at).ok_or(c);
        letters
            .chars()
            .try_fold(TcpFlags(0), |flags, c| Ok(TcpFlags(flags.0 | bit(c)?)))
    }

    /// Whether every flag of `other` is set.
    pub fn contains(self, other: TcpFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written as people say them: SYN first, then FIN, RST, PSH, ACK, URG.
        for (letter, bit) in [
            ('S', 1),
            ('F', 0),
            ('R', 2),
            ('P', 3),
            ('A', 4),
            ('U', 5),
            ('E', 6),
            ('C', 7),
        ] {
            if self.0 >> bit & 1 == 1 {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}
