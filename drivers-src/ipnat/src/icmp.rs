//! What the types of ICMP messages mean to a translator (RFC 792, RFC 5508).

/// How a message is translated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A request or reply with an identifier: a session of its own (RFC 5508 section 3).
    Query,
    /// A report about another packet, whose first bytes it carries: follows that packet's session
    /// (RFC 5508 section 4).
    Error,
    /// Anything else stays on its side of the boundary, redirects above all: they name routers
    /// that the other side can't reach.
    Other,
}

/// The kind of a message type.
pub const fn kind(message_type: u8) -> Kind {
    match message_type {
        // Echo, timestamp, information and address mask, reply and request each.
        0 | 8 | 13..=18 => Kind::Query,
        // Destination unreachable, source quench, time exceeded, parameter problem.
        3 | 4 | 11 | 12 => Kind::Error,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_do_not_cross() {
        assert_eq!(kind(5), Kind::Other);
        assert_eq!(kind(8), Kind::Query);
        assert_eq!(kind(0), Kind::Query);
        assert_eq!(kind(3), Kind::Error);
    }
}
