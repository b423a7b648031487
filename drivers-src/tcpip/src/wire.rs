//! Headers as they are on the wire: byte arrays, so that any address will do.

/// A 16-bit number in network byte order.
#[repr(transparent)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Be16(pub [u8; 2]);

/// A 32-bit number in network byte order.
#[repr(transparent)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Be32(pub [u8; 4]);

impl Be16 {
    /// The number.
    pub const fn get(self) -> u16 {
        u16::from_be_bytes(self.0)
    }
}

impl Be32 {
    /// The number.
    pub const fn get(self) -> u32 {
        u32::from_be_bytes(self.0)
    }
}

impl From<u16> for Be16 {
    fn from(value: u16) -> Self {
        Be16(value.to_be_bytes())
    }
}

impl From<u32> for Be32 {
    fn from(value: u32) -> Self {
        Be32(value.to_be_bytes())
    }
}

/// An Ethernet address.
pub type Mac = [u8; 6];
/// The Ethernet broadcast address.
pub const BROADCAST: Mac = [0xFF; 6];
/// Ethernet type of IPv4.
pub const ETHERTYPE_IP: u16 = 0x0800;
/// Ethernet type of ARP.
pub const ETHERTYPE_ARP: u16 = 0x0806;

/// Ethernet II header.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Ethernet {
    /// Receiver.
    pub destination: Mac,
    /// Sender.
    pub source: Mac,
    /// What follows.
    pub kind: Be16,
}

/// ARP message for IPv4 over Ethernet (RFC 826).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Arp {
    /// 1, Ethernet.
    pub hardware: Be16,
    /// 0x0800, IPv4.
    pub protocol: Be16,
    /// 6 and 4.
    pub lengths: [u8; 2],
    /// 1 request, 2 reply.
    pub operation: Be16,
    /// The sender's link address.
    pub sender_mac: Mac,
    /// The sender's IP address.
    pub sender: Be32,
    /// The link address asked for; zero in a request.
    pub target_mac: Mac,
    /// The IP address asked for.
    pub target: Be32,
}

/// IPv4 header without options (RFC 791).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Ipv4 {
    /// 4 in the high half, header length in 32-bit words in the low.
    pub version_ihl: u8,
    /// Type of service.
    pub tos: u8,
    /// Length of header and payload.
    pub total_length: Be16,
    /// Identification of a datagram's fragments.
    pub id: Be16,
    /// Flags in the upper three bits, offset in 8-byte units below.
    pub fragment: Be16,
    /// Hops left.
    pub ttl: u8,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Checksum of the header.
    pub checksum: Be16,
    /// Sender.
    pub source: Be32,
    /// Receiver.
    pub destination: Be32,
}

/// `Ipv4::protocol` of ICMP.
pub const PROTOCOL_ICMP: u8 = 1;
/// `Ipv4::protocol` of TCP.
pub const PROTOCOL_TCP: u8 = 6;
/// `Ipv4::fragment`: more fragments follow, or an offset: part of a fragmented datagram.
pub const FRAGMENTED: u16 = 0x3FFF;

impl Ipv4 {
    /// Length of the header with its options, in bytes.
    pub const fn header_length(&self) -> u32 {
        (self.version_ihl & 0xF) as u32 * 4
    }
}

/// TCP header without options (RFC 793).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Tcp {
    /// Sender's port.
    pub source: Be16,
    /// Receiver's port.
    pub destination: Be16,
    /// Sequence number of the first byte.
    pub seq: Be32,
    /// The next byte expected.
    pub ack: Be32,
    /// Header length in 32-bit words, in the high half.
    pub offset: u8,
    /// The flags.
    pub flags: u8,
    /// Bytes the sender will take beyond `ack`.
    pub window: Be16,
    /// Checksum of pseudo header, header and payload.
    pub checksum: Be16,
    /// Urgent pointer.
    pub urgent: Be16,
}

/// The sender has no more data.
pub const FIN: u8 = 0x01;
/// The sequence numbers start here.
pub const SYN: u8 = 0x02;
/// The connection is broken.
pub const RST: u8 = 0x04;
/// Push.
pub const PSH: u8 = 0x08;
/// `ack` is valid.
pub const ACK: u8 = 0x10;
/// `urgent` is valid.
pub const URG: u8 = 0x20;

impl Tcp {
    /// Length of the header with its options, in bytes.
    pub const fn header_length(&self) -> u32 {
        (self.offset >> 4) as u32 * 4
    }
}

/// ICMP header of echo messages (RFC 792).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IcmpEcho {
    /// 8 request, 0 reply.
    pub kind: u8,
    /// 0.
    pub code: u8,
    /// Checksum of header and payload.
    pub checksum: Be16,
    /// Identifier and sequence number, sent back as they are.
    pub rest: Be32,
}

/// `IcmpEcho::kind` of a request.
pub const ECHO_REQUEST: u8 = 8;
/// `IcmpEcho::kind` of a reply.
pub const ECHO_REPLY: u8 = 0;

const _: () = {
    assert!(size_of::<Ethernet>() == 14);
    assert!(size_of::<Arp>() == 28);
    assert!(size_of::<Ipv4>() == 20);
    assert!(size_of::<Tcp>() == 20);
    assert!(size_of::<IcmpEcho>() == 8);
};

/// The bytes of a header.
pub fn bytes<T: Copy>(header: &T) -> &[u8] {
    unsafe { core::slice::from_raw_parts((&raw const *header).cast(), size_of::<T>()) }
}
