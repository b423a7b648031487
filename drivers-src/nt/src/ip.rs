//! The interfaces of the IP driver: receive buffer chains and the firewall hook.
//!
//! Shapes and numbers are those of `ipfirewall.h` in the public DDK of Windows XP and Server 2003.
//! No public header shows the chain of NT 4.0; the one here is the later one, whose first fields
//! agree with the Windows CE 5.0 documentation.

use crate::io::{CTL_CODE, FILE_DEVICE_NETWORK, FILE_WRITE_ACCESS, METHOD_BUFFERED};
use crate::types::*;

/// One piece of a received datagram. A datagram is a chain of them, ended by a null `ipr_next`.
///
/// A piece of size 0 is legal anywhere in a chain.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct IPRcvBuf {
    /// The next piece, or null.
    pub ipr_next: *mut IPRcvBuf,
    /// Who allocated the piece and how it is freed.
    pub ipr_owner: u32,
    /// The bytes.
    pub ipr_buffer: *mut u8,
    /// How many bytes.
    pub ipr_size: u32,
    /// The MDL of the bytes, or null.
    pub ipr_pMdl: *mut MDL,
    /// The number of holders of what `ipr_RcvContext` names, or null.
    pub ipr_pClientCnt: *mut u32,
    /// What the bytes belong to, for the owner.
    pub ipr_RcvContext: *mut u8,
    /// The offset of the bytes in the indicated frame.
    pub ipr_RcvOffset: u32,
    /// `IPR_FLAG_` bits.
    pub ipr_flags: u32,
}

/// `ipr_owner` of a piece that the IP driver made. The public header has the field but no values
/// for it: this one and [`OWNER_HOOK`] are this project's.
pub const OWNER_IP: u32 = 0;
/// `ipr_owner` of a piece that a firewall hook made from pool, descriptor and bytes in one block:
/// the IP driver frees it with `ExFreePool`.
pub const OWNER_HOOK: u32 = 1;

/// What a hook decides about a datagram.
pub type FORWARD_ACTION = i32;
/// Let it go on.
pub const FORWARD: FORWARD_ACTION = 0;
/// Drop it silently.
pub const DROP: FORWARD_ACTION = 1;
/// Drop it and tell the sender by ICMP.
pub const ICMP_ON_DROP: FORWARD_ACTION = 2;

/// `INVALID_IF_INDEX`: no interface decided yet.
pub const INVALID_IF_INDEX: u32 = 0xFFFF_FFFF;
/// `LOCAL_IF_INDEX`: the machine itself, as the source of a datagram.
pub const LOCAL_IF_INDEX: u32 = 0;

/// `DEST_LOCAL`: for this machine.
pub const DEST_LOCAL: u8 = 0;
/// `DEST_BCAST`: a broadcast.
pub const DEST_BCAST: u8 = 1;
/// `DEST_REMOTE`: for somebody else.
pub const DEST_REMOTE: u8 = 8;
/// `DEST_INVALID`
pub const DEST_INVALID: u8 = 0xFF;

/// `IP_DIRECTION_E`: whether a datagram comes from a link or goes to one.
pub type IP_DIRECTION_E = i32;
/// Going out.
pub const IP_TRANSMIT: IP_DIRECTION_E = 0;
/// Come in.
pub const IP_RECEIVE: IP_DIRECTION_E = 1;

/// What a hook gets to know beside the datagram.
#[repr(C)]
pub struct FIREWALL_CONTEXT_T {
    /// Which way the datagram goes.
    pub Direction: IP_DIRECTION_E,
    /// The net table entry, opaque.
    pub NTE: *mut c_void,
    /// The link, opaque.
    pub LinkCtxt: *mut c_void,
    /// The binding of the adapter, opaque.
    pub LContext1: *mut c_void,
    /// The offset of the frame's payload, opaque.
    pub LContext2: u32,
}

/// A firewall hook, called at IRQL <= DISPATCH on any processor, several at once.
///
/// As in the public header's prototype; what follows is how this project's IP driver calls it.
/// `pData` holds the address of the datagram's first [`IPRcvBuf`], the IP header in front. The
/// hook may rewrite the bytes in place, or replace the whole chain by storing another in
/// `pRcvBuf`, after which the old one is still the IP driver's to free. On the receive side
/// `pSendInterfaceIndex` holds [`INVALID_IF_INDEX`] and `pDestinationType` is a proposal; the
/// destination is looked at again after the hook.
pub type IPPacketFirewallPtr = unsafe extern "system" fn(
    pData: *mut *mut c_void,
    RecvInterfaceIndex: u32,
    pSendInterfaceIndex: *mut u32,
    pDestinationType: *mut u8,
    pContext: *mut c_void,
    ContextLength: u32,
    pRcvBuf: *mut *mut IPRcvBuf,
) -> FORWARD_ACTION;

/// The input of [`IOCTL_IP_SET_FIREWALL_HOOK`].
#[repr(C)]
pub struct IP_SET_FIREWALL_HOOK_INFO {
    /// The hook.
    pub FirewallPtr: Option<IPPacketFirewallPtr>,
    /// Its place among the hooks; here the highest is called first.
    pub Priority: u32,
    /// Nonzero adds the hook, zero takes it away; no call is running when that returns.
    pub Add: u8,
}

/// Adds or takes away a firewall hook, sent to `\Device\Ip` at PASSIVE by a kernel-mode caller.
pub const IOCTL_IP_SET_FIREWALL_HOOK: u32 =
    CTL_CODE(FILE_DEVICE_NETWORK, 12, METHOD_BUFFERED, FILE_WRITE_ACCESS);
