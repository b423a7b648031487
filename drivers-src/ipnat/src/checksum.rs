//! Incremental update of the Internet checksum (RFC 1624).
//!
//! A translator never sums a packet again: it knows which 16-bit words it changed, and RFC 1624
//! equation 3, `HC' = ~(~HC + ~m + m')`, gives the new checksum from the old one. The earlier
//! formula of RFC 1141 can turn a right checksum into the other zero; equation 3 can't.

/// The checksum after one 16-bit word of what it covers went from `old` to `new`.
pub fn update(checksum: u16, old: u16, new: u16) -> u16 {
    !fold(u32::from(!checksum) + u32::from(!old) + u32::from(new))
}

/// The same for the checksum of UDP, where zero on the wire means "none was computed" (RFC 768):
/// such a datagram keeps its zero, and a computed zero is sent as all ones.
pub fn update_udp(checksum: u16, old: u16, new: u16) -> u16 {
    if checksum == 0 {
        return 0;
    }
    match update(checksum, old, new) {
        0 => 0xFFFF,
        other => other,
    }
}

/// Adds the carries back in until none is left: one's complement addition (RFC 1071).
fn fold(mut sum: u32) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

/// The checksum of `bytes` summed from scratch (RFC 1071): what every update must agree with.
#[cfg(test)]
pub fn of(bytes: &[u8]) -> u16 {
    let sum = bytes.chunks(2).map(|pair| match *pair {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [last] => u32::from(last) << 8,
        _ => 0,
    });
    !fold(sum.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of RFC 1624 section 4, where RFC 1141 gives 0xFFFF.
    #[test]
    fn example_of_rfc_1624() {
        assert_eq!(update(0xDD2F, 0x5555, 0x3285), 0x0000);
    }

    /// RFC 1071 section 3: the sum of this sequence is ddf2.
    #[test]
    fn example_of_rfc_1071() {
        assert_eq!(
            of(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
            !0xddf2
        );
    }

    /// Every update of every word agrees with summing again.
    #[test]
    fn update_equals_summing_again() {
        let mut bytes = *b"\x45\x00\x00\x54\x1c\x46\x40\x00\x40\x06\xb1\xe6\xac\x10\x0a\x63";
        let mut random = 0x9E37_79B9u32;
        for step in 0..10_000usize {
            let before = of(&bytes);
            let at = step * 2 % bytes.len();
            let old = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let new = (random >> 16) as u16;
            bytes[at..at + 2].copy_from_slice(&new.to_be_bytes());
            assert_eq!(update(before, old, new), of(&bytes), "step {step}");
        }
    }

    #[test]
    fn udp_zero_means_none() {
        assert_eq!(update_udp(0, 1, 2), 0);
        assert_eq!(update_udp(0xDD2F, 0x5555, 0x3285), 0xFFFF);
        assert_eq!(update_udp(0x1234, 1, 2), update(0x1234, 1, 2));
    }
}
