//! How long an idle session lives.

use crate::flow::{Direction, Protocol};

/// TCP: how far a connection has come, from the flags that passed in either direction.
///
/// All-zero is a connection of which nothing was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct TcpState(u8);

const SYN_OUT: u8 = 1 << 0;
const SYN_IN: u8 = 1 << 1;
const FIN_OUT: u8 = 1 << 2;
const FIN_IN: u8 = 1 << 3;
const RESET: u8 = 1 << 4;

/// Flag bits of the TCP header (RFC 9293 section 3.1).
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;

impl TcpState {
    /// Takes note of the flags of one segment.
    pub fn observe(&mut self, direction: Direction, flags: u8) {
        let (syn, fin) = match direction {
            Direction::Outbound => (SYN_OUT, FIN_OUT),
            Direction::Inbound => (SYN_IN, FIN_IN),
        };
        if flags & SYN != 0 {
            // A new connection on the same endpoints starts afresh.
            self.0 = self.0 & !(FIN_OUT | FIN_IN | RESET) | syn;
        }
        if flags & FIN != 0 {
            self.0 |= fin;
        }
        if flags & RST != 0 {
            self.0 |= RESET;
        }
    }

    /// Both sides have opened, and neither a reset nor both ends have closed since.
    pub fn is_established(self) -> bool {
        let closing = self.0 & RESET != 0 || self.0 & (FIN_OUT | FIN_IN) == FIN_OUT | FIN_IN;
        self.0 & (SYN_OUT | SYN_IN) == SYN_OUT | SYN_IN && !closing
    }
}

/// The timeouts that `IP_NAT_TIMEOUT` sets (MS-RRASM 2.2.1.2.196), in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Idle time of an established TCP connection.
    pub tcp: u32,
    /// Idle time of a UDP session.
    pub udp: u32,
}

impl Timeouts {
    /// What `netsh routing ip nat show global` shows before anyone changes it: 1440 minutes and 1
    /// minute. The minute for UDP is less than RFC 4787 REQ-5 asks for.
    pub const DEFAULT: Timeouts = Timeouts {
        tcp: 1440 * 60,
        udp: 60,
    };

    /// The idle time after which a session ends, in seconds.
    pub fn lifetime(&self, protocol: Protocol, tcp: TcpState) -> u32 {
        match protocol {
            Protocol::TCP if tcp.is_established() => self.tcp,
            Protocol::TCP => self.tcp.min(TCP_TRANSITORY),
            Protocol::UDP => self.udp,
            _ => ICMP_QUERY,
        }
    }
}

/// A TCP connection that is opening or closing: RFC 5382 REQ-5, at least four minutes.
const TCP_TRANSITORY: u32 = 4 * 60;
/// An ICMP query: RFC 5508 REQ-2, at least 60 seconds.
const ICMP_QUERY: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Inbound, Outbound};

    fn after(segments: &[(Direction, u8)]) -> TcpState {
        let mut state = TcpState::default();
        for &(direction, flags) in segments {
            state.observe(direction, flags);
        }
        state
    }

    #[test]
    fn a_connection_is_established_between_handshake_and_close() {
        let handshake = [(Outbound, SYN), (Inbound, SYN | 0x10), (Outbound, 0x10)];
        assert!(!after(&handshake[..1]).is_established());
        assert!(after(&handshake).is_established());
        // Simultaneous open (RFC 5382 REQ-2) and a connection from outside.
        assert!(after(&[(Inbound, SYN), (Outbound, SYN)]).is_established());
        let half_closed = [(Outbound, SYN), (Inbound, SYN), (Outbound, FIN)];
        assert!(after(&half_closed).is_established());
        let closed = [
            (Outbound, SYN),
            (Inbound, SYN),
            (Outbound, FIN),
            (Inbound, FIN),
        ];
        assert!(!after(&closed).is_established());
        assert!(!after(&[(Outbound, SYN), (Inbound, SYN), (Inbound, RST)]).is_established());
        let reopened = [
            (Outbound, SYN),
            (Inbound, SYN),
            (Inbound, RST),
            (Outbound, SYN),
        ];
        assert!(after(&reopened).is_established());
    }

    /// RFC 5382 REQ-5: established at least 2 h 4 min, transitory at least 4 min. RFC 5508 REQ-2.
    #[test]
    fn minimum_lifetimes() {
        let timeouts = Timeouts::DEFAULT;
        let open = after(&[(Outbound, SYN), (Inbound, SYN)]);
        assert!(timeouts.lifetime(Protocol::TCP, open) >= (2 * 60 + 4) * 60);
        assert!(timeouts.lifetime(Protocol::TCP, TcpState::default()) >= 4 * 60);
        assert!(timeouts.lifetime(Protocol::ICMP, TcpState::default()) >= 60);
    }

    /// The deviation that the documentation of the driver admits to.
    #[test]
    fn udp_is_shorter_than_rfc_4787_req_5() {
        assert!(Timeouts::DEFAULT.lifetime(Protocol::UDP, TcpState::default()) < 120);
    }
}
