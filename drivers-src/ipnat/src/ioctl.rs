//! The control interface of `\Device\IPNAT`: request codes and the layout of their buffers.
//!
//! The structures are those of the Routing and Remote Access management protocol, MS-RRASM
//! 2.2.1.2.3, .4, .182 to .185 and .195 to .200, with natural alignment and in the byte order of
//! the machine, except that **IPv4 addresses and ports stand in network order**, as everywhere in
//! NT. Which codes carry them down to the driver isn't public; the codes here are this project's
//! own. So are [`IP_NAT_INTERFACE_FLAGS_PRESERVE`], [`IOCTL_NAT_CREATE_INTERFACE`]'s input,
//! [`IOCTL_NAT_RESET_INTERFACE`] and [`IOCTL_NAT_GET_PRESERVATION`].
//!
//! All requests are `METHOD_BUFFERED`. A request for an interface that does not exist fails with
//! `STATUS_NOT_FOUND`, a malformed buffer with `STATUS_INVALID_PARAMETER`, one that is too short
//! for its fixed part with `STATUS_BUFFER_TOO_SMALL` or `STATUS_INFO_LENGTH_MISMATCH`.
//!
//! | request | code | input | output |
//! |---|---|---|---|
//! | create interface | `0x0012A000` | `index u32, address 4 bytes, mask 4 bytes` | none |
//! | delete interface | `0x0012A004` | `index u32` | none |
//! | set interface info | `0x0012A008` | `IP_NAT_INTERFACE_INFO` and its blocks | none |
//! | get interface info | `0x0012600C` | `index u32` | `IP_NAT_INTERFACE_INFO` and its blocks |
//! | set global info | `0x0012A010` | `IP_NAT_GLOBAL_INFO` and its block | none |
//! | get statistics | `0x00126014` | `index u32` | `IP_NAT_INTERFACE_STATISTICS` |
//! | get mapping table | `0x00126018` | `index u32, context u32[4]` | `IP_NAT_ENUMERATE_SESSION_MAPPINGS` |
//! | reset interface | `0x0012A01C` | `index u32` | none |
//! | get preservation | `0x00126020` | `index u32` | `count u32`, then `private, public, kind` of 4 bytes each |

const FILE_DEVICE_NETWORK: u32 = 0x12;
const READ: u32 = 1;
const WRITE: u32 = 2;

/// `CTL_CODE` for buffered requests of this device.
const fn code(function: u32, access: u32) -> u32 {
    FILE_DEVICE_NETWORK << 16 | access << 14 | function << 2
}

/// Makes an interface known to the translator. Input: interface index (`u32`), the interface's own
/// public address, its mask. Without a configuration, nothing is translated yet.
pub const IOCTL_NAT_CREATE_INTERFACE: u32 = code(0x800, WRITE);
/// Takes an interface out of the translator with all its sessions. Input: index.
pub const IOCTL_NAT_DELETE_INTERFACE: u32 = code(0x801, WRITE);
/// Replaces the configuration of an interface. Input: `IP_NAT_INTERFACE_INFO` (MS-RRASM
/// 2.2.1.2.197). Sessions that the new configuration still allows live on, and so do preserved
/// addresses that are still in the pool.
pub const IOCTL_NAT_SET_INTERFACE_INFO: u32 = code(0x802, WRITE);
/// The configuration as it was set. Input: index.
pub const IOCTL_NAT_GET_INTERFACE_INFO: u32 = code(0x803, READ);
/// Sets the session timeouts. Input: `IP_NAT_GLOBAL_INFO` (MS-RRASM 2.2.1.2.195).
pub const IOCTL_NAT_SET_GLOBAL_INFO: u32 = code(0x804, WRITE);
/// Counters. Input: index; output: `IP_NAT_INTERFACE_STATISTICS` (MS-RRASM 2.2.1.2.185).
pub const IOCTL_NAT_GET_INTERFACE_STATISTICS: u32 = code(0x805, READ);
/// Sessions. Input and output: `IP_NAT_ENUMERATE_SESSION_MAPPINGS` (MS-RRASM 2.2.1.2.183), as many
/// sessions as the output has room for. The context goes in as it came out, at first all zero;
/// its first word is 0 when no session remains.
pub const IOCTL_NAT_GET_INTERFACE_MAPPING_TABLE: u32 = code(0x806, READ);
/// Ends every session of an interface and forgets its preserved addresses except the reserved
/// ones, as if the interface had just been configured. Input: index.
///
/// An assumption: the "reset interface request" that article 931322 names has no public definition.
pub const IOCTL_NAT_RESET_INTERFACE: u32 = code(0x807, WRITE);
/// The preserved addresses. Input: index.
pub const IOCTL_NAT_GET_PRESERVATION: u32 = code(0x808, READ);

/// The interface has the public network behind it: what leaves through it is translated.
pub const IP_NAT_INTERFACE_FLAGS_BOUNDARY: u32 = 0x01;
/// Many private hosts share a public address by port translation.
pub const IP_NAT_INTERFACE_FLAGS_NAPT: u32 = 0x02;
/// Firewall mode: only packets of known sessions come in.
pub const IP_NAT_INTERFACE_FLAGS_FW: u32 = 0x10;
/// Every flag that MS-RRASM defines.
pub const IP_NAT_INTERFACE_FLAGS_ALL: u32 = 0x7F;
/// IP preservation. An assumption in name and number: see the crate documentation.
pub const IP_NAT_INTERFACE_FLAGS_PRESERVE: u32 = 0x100;

/// `Version` of every `RTR_INFO_BLOCK_HEADER`.
pub const RTR_INFO_BLOCK_VERSION: u32 = 1;
/// Size of `RTR_INFO_BLOCK_HEADER` without its table of contents: `Version, Size, TocEntriesCount`.
pub const RTR_INFO_BLOCK_HEADER_SIZE: usize = 12;
/// Size of `RTR_TOC_ENTRY`: `InfoType, InfoSize, Count, Offset`, the offset counted from the
/// beginning of the header.
pub const RTR_TOC_ENTRY_SIZE: usize = 16;
/// Offset of `Header` in `IP_NAT_INTERFACE_INFO { Index, Flags, Header }` and in
/// `IP_NAT_GLOBAL_INFO { LoggingLevel, Flags, Header }`.
pub const HEADER_OFFSET: usize = 8;

/// `InfoType` of `IP_NAT_TIMEOUT { TCPTimeoutSeconds, UDPTimeoutSeconds }`.
pub const IP_NAT_TIMEOUT_TYPE: u32 = 0xFFFF_0001;
/// `InfoType` of `IP_NAT_ADDRESS_RANGE { StartAddress, EndAddress, SubnetMask }`, 12 bytes.
pub const IP_NAT_ADDRESS_RANGE_TYPE: u32 = 0xFFFF_0002;
/// `InfoType` of `IP_NAT_PORT_MAPPING { u8 Protocol, u16 PublicPort at 2, PublicAddress at 4,
/// u16 PrivatePort at 8, PrivateAddress at 12 }`, 16 bytes. A public address of 0.0.0.0 stands for
/// the interface's own.
pub const IP_NAT_PORT_MAPPING_TYPE: u32 = 0xFFFF_0003;
/// `InfoType` of `IP_NAT_ADDRESS_MAPPING { PrivateAddress, PublicAddress, u8 AllowInboundSessions
/// }`, 12 bytes.
pub const IP_NAT_ADDRESS_MAPPING_TYPE: u32 = 0xFFFF_0004;

/// Size of `IP_NAT_TIMEOUT`.
pub const TIMEOUT_SIZE: usize = 8;
/// Size of `IP_NAT_ADDRESS_RANGE`.
pub const ADDRESS_RANGE_SIZE: usize = 12;
/// Size of `IP_NAT_PORT_MAPPING`.
pub const PORT_MAPPING_SIZE: usize = 16;
/// Size of `IP_NAT_ADDRESS_MAPPING`.
pub const ADDRESS_MAPPING_SIZE: usize = 12;
/// Size of `IP_NAT_INTERFACE_STATISTICS`: two `u32`, then six `u64`.
pub const STATISTICS_SIZE: usize = 56;
/// Size of `IP_NAT_ENUMERATE_SESSION_MAPPINGS` without sessions: `Index, EnumerateContext[4],
/// EnumerateCount, EnumerateTotalHint`.
pub const ENUMERATE_SIZE: usize = 28;
/// Size of `IP_NAT_SESSION_MAPPING { u8 Protocol, PrivateAddress at 4, u16 PrivatePort at 8,
/// PublicAddress at 12, u16 PublicPort at 16, RemoteAddress at 20, u16 RemotePort at 24, Direction
/// at 28 (0 inbound, 1 outbound), IdleTime in seconds at 32 }`.
pub const SESSION_MAPPING_SIZE: usize = 36;
/// Size of one entry in the answer to [`IOCTL_NAT_GET_PRESERVATION`].
pub const PRESERVED_SIZE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in the documentation above is what the constants are.
    #[test]
    fn documented_codes() {
        assert_eq!(IOCTL_NAT_CREATE_INTERFACE, 0x0012_A000);
        assert_eq!(IOCTL_NAT_DELETE_INTERFACE, 0x0012_A004);
        assert_eq!(IOCTL_NAT_SET_INTERFACE_INFO, 0x0012_A008);
        assert_eq!(IOCTL_NAT_GET_INTERFACE_INFO, 0x0012_600C);
        assert_eq!(IOCTL_NAT_SET_GLOBAL_INFO, 0x0012_A010);
        assert_eq!(IOCTL_NAT_GET_INTERFACE_STATISTICS, 0x0012_6014);
        assert_eq!(IOCTL_NAT_GET_INTERFACE_MAPPING_TABLE, 0x0012_6018);
        assert_eq!(IOCTL_NAT_RESET_INTERFACE, 0x0012_A01C);
        assert_eq!(IOCTL_NAT_GET_PRESERVATION, 0x0012_6020);
    }
}
