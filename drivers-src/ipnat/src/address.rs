//! IPv4 addresses and endpoints.

/// An IPv4 address as a number in host order, so that ranges compare and count as one expects.
///
/// Structures that cross the control interface hold it as NT's `IPAddr` does: the four bytes in
/// network order. [`Address::from_bytes`] and [`Address::to_bytes`] are the only way across.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[repr(transparent)]
pub struct Address(pub u32);

impl Address {
    /// 0.0.0.0: "no address" in every table of this driver.
    pub const UNSPECIFIED: Address = Address(0);

    /// From the bytes of a header or of a control structure.
    pub const fn from_bytes(bytes: [u8; 4]) -> Address {
        Address(u32::from_be_bytes(bytes))
    }

    /// The bytes as they stand in a header or a control structure.
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// True for 0.0.0.0.
    pub const fn is_unspecified(self) -> bool {
        self.0 == 0
    }
}

/// An address with a port in host order. For an ICMP query the port is the query identifier, which
/// is what a translator multiplexes on (RFC 5508 section 3.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[repr(C)]
pub struct Endpoint {
    /// The host.
    pub address: Address,
    /// The port or the query identifier.
    pub port: u16,
}

impl Endpoint {
    /// An endpoint.
    pub const fn new(address: Address, port: u16) -> Endpoint {
        Endpoint { address, port }
    }
}
