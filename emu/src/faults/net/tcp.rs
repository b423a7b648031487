//! TCP segments in frames: other boundaries for the same bytes. A sender, a retransmission or a
//! middlebox may choose them as it likes (RFC 9293, 3.8; RFC 3135).

/// Where things are in a frame with a TCP segment over IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// First byte of the TCP header.
    tcp: usize,
    /// First byte of the data.
    data: usize,
    /// First byte behind them; padding of the link may follow.
    end: usize,
}

const ETHERNET: usize = 14;
const FIN_PSH: u8 = 0x09;
const SYN_RST_URG: u8 = 0x26;

impl Segment {
    /// The segment in a frame, if it is a whole one without SYN, RST and URG, which belong to a
    /// place in the stream.
    pub fn of(frame: &[u8]) -> Option<Segment> {
        let ip = frame.get(ETHERNET..)?;
        let header = usize::from(ip.first()? & 0xF) * 4;
        let total = usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?]));
        let fragment = u16::from_be_bytes([*ip.get(6)?, *ip.get(7)?]) & 0x3FFF;
        let is_tcp = frame[12..14] == [8, 0] && ip[0] >> 4 == 4 && *ip.get(9)? == 6;
        let tcp = ETHERNET + header;
        let end = ETHERNET + total;
        let data = tcp + usize::from(frame.get(tcp + 12)? >> 4) * 4;
        let flags = *frame.get(tcp + 13)?;
        let whole = header >= 20 && fragment == 0 && data >= tcp + 20 && data <= end;
        let found = is_tcp && whole && end <= frame.len() && flags & SYN_RST_URG == 0;
        found.then_some(Segment { tcp, data, end })
    }

    /// Bytes of data.
    pub fn length(&self) -> usize {
        self.end - self.data
    }

    fn sequence(&self, frame: &[u8]) -> u32 {
        let at = self.tcp + 4;
        u32::from_be_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]])
    }

    /// A frame with the bytes `from..to` of the data only.
    pub fn part(&self, frame: &[u8], from: usize, to: usize) -> Vec<u8> {
        let mut part = frame[..self.data].to_vec();
        part.extend(&frame[self.data + from..self.data + to]);
        let sequence = self.sequence(frame).wrapping_add(from as u32);
        part[self.tcp + 4..self.tcp + 8].copy_from_slice(&sequence.to_be_bytes());
        if to < self.length() {
            part[self.tcp + 13] &= !FIN_PSH;
        }
        self.finish(part)
    }

    /// A frame with the data of this and of the next segment of the same conversation, if that
    /// follows and both fit into `most` bytes of frame.
    pub fn with(&self, frame: &[u8], next: &[u8], most: usize) -> Option<Vec<u8>> {
        let after = Segment::of(next)?;
        let same = frame[..12] == next[..12]
            && self.tcp == after.tcp
            && self.data == after.data
            && frame[26..34] == next[26..34]
            && frame[self.tcp..self.tcp + 4] == next[after.tcp..after.tcp + 4];
        let follows = self.sequence(frame).wrapping_add(self.length() as u32);
        let ends = frame[self.tcp + 13] & 1 != 0;
        let fits = self.end + after.length() <= most;
        if !same || after.sequence(next) != follows || ends || !fits {
            return None;
        }
        let mut both = next[..after.data].to_vec();
        both[self.tcp + 4..self.tcp + 8].copy_from_slice(&self.sequence(frame).to_be_bytes());
        both.extend(&frame[self.data..self.end]);
        both.extend(&next[after.data..after.end]);
        Some(self.finish(both))
    }

    /// Makes lengths and checksums right.
    fn finish(&self, mut frame: Vec<u8>) -> Vec<u8> {
        let total = (frame.len() - ETHERNET) as u16;
        frame[16..18].copy_from_slice(&total.to_be_bytes());
        frame[24..26].fill(0);
        let sum = checksum(0, &frame[ETHERNET..self.tcp]);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
        let at = self.tcp + 16;
        frame[at..at + 2].fill(0);
        let length = (frame.len() - self.tcp) as u32;
        let addresses: u32 = frame[26..34]
            .chunks(2)
            .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
            .sum();
        let sum = checksum(addresses + 6 + length, &frame[self.tcp..]);
        frame[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        frame
    }
}

/// The Internet checksum (RFC 1071) of what was summed up already and these bytes.
fn checksum(begun: u32, bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| {
        let low = pair.get(1).copied().unwrap_or(0);
        u32::from(u16::from_be_bytes([pair[0], low]))
    };
    let mut sum = begun + bytes.chunks(2).map(word).sum::<u32>();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A segment from sequence number 100 on, PSH and ACK.
    fn frame(data: &[u8]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([8, 0, 0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0]);
        frame.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0, 80, 4, 1, 0, 0, 0, 100, 0, 0, 0, 7, 0x50, 0x18]);
        frame.extend([0x20, 0, 0, 0, 0, 0]);
        frame.extend(data);
        let segment = Segment {
            tcp: 34,
            data: 54,
            end: frame.len(),
        };
        segment.finish(frame)
    }

    #[test]
    fn parts_and_the_whole() {
        let whole = frame(b"abcdefg");
        let segment = Segment::of(&whole).unwrap();
        assert_eq!(segment.length(), 7);
        let (first, second) = (segment.part(&whole, 0, 3), segment.part(&whole, 3, 7));
        let (a, b) = (Segment::of(&first).unwrap(), Segment::of(&second).unwrap());
        assert_eq!((a.sequence(&first), b.sequence(&second)), (100, 103));
        assert_eq!((&first[54..], &second[54..]), (&b"abc"[..], &b"defg"[..]));
        assert_eq!(
            (first[47], second[47]),
            (0x10, 0x18),
            "PSH is the last one's"
        );
        assert_eq!(a.with(&first, &second, 1514), Some(whole.clone()));
        assert_eq!(a.with(&first, &second, 60), None);
        assert_eq!(b.with(&second, &first, 1514), None);
        // The sum over a header with its checksum is zero.
        for part in [whole, first, second] {
            assert_eq!(checksum(0, &part[14..34]), 0);
        }
    }

    #[test]
    fn what_is_no_whole_segment() {
        let whole = frame(b"abc");
        for length in 0..whole.len() {
            assert_eq!(Segment::of(&whole[..length]), None, "{length}");
        }
        for flag in [2, 4, 0x20] {
            let mut other = whole.clone();
            other[47] |= flag;
            assert_eq!(Segment::of(&other), None);
        }
    }
}
