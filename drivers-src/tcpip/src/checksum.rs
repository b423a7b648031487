//! The Internet checksum (RFC 1071) over pieces of any length, and its update (RFC 1624).

/// A running one's complement sum.
#[derive(Clone, Copy, Default)]
pub struct Sum {
    total: u32,
    /// An odd number of bytes so far: the next byte is the low half of a word.
    odd: bool,
}

impl Sum {
    /// Nothing summed yet.
    pub const ZERO: Sum = Sum {
        total: 0,
        odd: false,
    };

    /// Adds bytes, which continue those before.
    pub fn over(mut self, mut bytes: &[u8]) -> Self {
        if self.odd
            && let Some((&first, rest)) = bytes.split_first()
        {
            self.word(u32::from(first));
            self.odd = false;
            bytes = rest;
        }
        let (pairs, rest) = bytes.as_chunks();
        for &pair in pairs {
            self.word(u32::from(u16::from_be_bytes(pair)));
        }
        if let [last] = rest {
            self.word(u32::from(*last) << 8);
            self.odd = true;
        }
        self
    }

    /// Folding at every word keeps the sum small for a datagram of any length.
    fn word(&mut self, word: u32) {
        self.total += word;
        self.total = (self.total & 0xFFFF) + (self.total >> 16);
    }

    /// The sum, complemented: what goes into a header. Over a range that contains its own
    /// checksum it is 0 if the range is intact.
    pub const fn finish(self) -> u16 {
        let folded = (self.total & 0xFFFF) + (self.total >> 16);
        !(folded as u16)
    }
}

/// The checksum after a 16-bit field went from `old` to `new`: equation 3 of RFC 1624.
pub const fn update(checksum: u16, old: u16, new: u16) -> u16 {
    let mut sum = !checksum as u32 + !old as u32 + new as u32;
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1071, section 3: 0001 f203 f4f5 f6f7 sum to ddf2.
    const EXAMPLE: [u8; 8] = [0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7];

    #[test]
    fn example_of_rfc_1071() {
        assert_eq!(Sum::ZERO.over(&EXAMPLE).finish(), !0xDDF2);
    }

    #[test]
    fn pieces_do_not_matter() {
        for cut in 0..=EXAMPLE.len() {
            let (a, b) = EXAMPLE.split_at(cut);
            assert_eq!(Sum::ZERO.over(a).over(b).finish(), !0xDDF2, "cut at {cut}");
        }
    }

    #[test]
    fn example_of_rfc_1624() {
        // Section 4: checksum DD2F, field 5555 -> 3285 gives 0000, which equation 2 gets wrong.
        assert_eq!(update(0xDD2F, 0x5555, 0x3285), 0x0000);
    }
}
