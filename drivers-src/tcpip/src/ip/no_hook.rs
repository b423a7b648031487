//! Windows NT 4.0 has no firewall hook: every datagram goes its way.

use crate::ipr::Chain;
use crate::link::adapter::Interface;

/// A datagram came in.
pub unsafe fn received(_interface: *mut Interface, chain: Chain, _type: u8) -> Option<Chain> {
    Some(chain)
}

/// A datagram is to be forwarded.
pub unsafe fn transmitted(
    _from: *mut Interface,
    _to: *mut Interface,
    chain: Chain,
) -> Option<Chain> {
    Some(chain)
}

/// Whether there is a hook.
pub const fn any() -> bool {
    false
}
