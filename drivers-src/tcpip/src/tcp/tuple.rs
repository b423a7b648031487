//! What names a connection.

/// The two ends of a connection, in host byte order.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Tuple {
    /// Address of this machine.
    pub local: u32,
    /// Address of the peer.
    pub remote: u32,
    /// Port of this machine.
    pub local_port: u16,
    /// Port of the peer.
    pub remote_port: u16,
}
