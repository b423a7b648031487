//! Choice of a public port.
//!
//! There is no table of free ports: a port is taken exactly as long as a session uses it, so the
//! mapping table is asked, and nothing can leak.

use crate::flow::Protocol;
use core::ops::RangeInclusive;

/// Ports that a translator may hand out when it can't keep the private one: the dynamic ports of
/// RFC 6335, which no service of the router itself is registered at.
pub const DYNAMIC: RangeInclusive<u16> = 49152..=65535;

/// A public port for a session whose private port is `wanted`, or `None` when all are taken.
///
/// The private port is kept if it is free and not a system port. Otherwise the search starts at a
/// place that depends on the private port alone, so that the same traffic gets the same ports
/// (RFC 4787 REQ-11), and first tries ports of the same parity (REQ-4). A port for which `taken`
/// says yes is never given: no overloading (REQ-3). ICMP identifiers have no ranges and no parity.
pub fn choose(protocol: Protocol, wanted: u16, taken: impl Fn(u16) -> bool) -> Option<u16> {
    if protocol == Protocol::ICMP {
        return (0..=u16::MAX)
            .map(|step| wanted.wrapping_add(step))
            .find(|&id| !taken(id));
    }
    if wanted >= 1024 && !taken(wanted) {
        return Some(wanted);
    }
    let (first, count) = (*DYNAMIC.start(), DYNAMIC.end() - DYNAMIC.start() + 1);
    let start = wanted % count;
    let search = |parity: u16| {
        (0..count)
            .map(move |step| first + (start + step) % count)
            .filter(move |port| port % 2 == parity)
            .find(|&port| !taken(port))
    };
    search(wanted % 2).or_else(|| search(1 - wanted % 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_free_private_port_is_kept() {
        assert_eq!(choose(Protocol::TCP, 1025, |_| false), Some(1025));
        assert_eq!(choose(Protocol::ICMP, 7, |_| false), Some(7));
    }

    #[test]
    fn system_ports_are_not_given_away() {
        let port = choose(Protocol::UDP, 123, |_| false).unwrap();
        assert!(DYNAMIC.contains(&port));
        assert_eq!(port % 2, 1, "RFC 4787 REQ-4: parity is kept");
    }

    /// No port twice, the same parity as long as one of it is left, and the last one is found.
    #[test]
    fn every_port_once_then_none() {
        let mut used = BTreeSet::new();
        for _ in 0..300 {
            let port = choose(Protocol::UDP, 53, |p| used.contains(&p)).unwrap();
            assert!(used.insert(port), "port {port} was given twice");
            assert_eq!(port % 2, 1);
        }
        let last = |left: u16| choose(Protocol::UDP, 53, move |port| port != left);
        assert_eq!(last(49153), Some(49153));
        assert_eq!(last(65534), Some(65534), "the other parity, in need");
        assert_eq!(choose(Protocol::UDP, 53, |_| true), None);
    }

    #[test]
    fn all_identifiers_are_used_before_none_is_left() {
        assert_eq!(choose(Protocol::ICMP, 9, |id| id != 8), Some(8));
        assert_eq!(choose(Protocol::ICMP, 9, |_| true), None);
    }
}
