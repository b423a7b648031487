//! Lines out of bytes that come in any portions.

/// The longest line, without its end.
pub const LINE_MAX: usize = 128;

/// A line that is being put together.
pub struct Line {
    length: usize,
    bytes: [u8; LINE_MAX],
    /// More came than fits.
    overflow: bool,
}

/// What a byte completed.
#[derive(Debug, PartialEq, Eq)]
pub enum Completed<'a> {
    /// A line, without its end.
    Line(&'a [u8]),
    /// A line that was longer than [`LINE_MAX`].
    TooLong,
}

impl Line {
    /// Nothing yet.
    pub const EMPTY: Line = Line {
        length: 0,
        bytes: [0; LINE_MAX],
        overflow: false,
    };

    /// The next byte of the text. A line ends with LF; a CR before it belongs to the end.
    pub fn push(&mut self, byte: u8) -> Option<Completed<'_>> {
        if byte == b'\n' {
            return Some(self.complete());
        }
        match self.bytes.get_mut(self.length) {
            Some(place) => {
                *place = byte;
                self.length += 1;
            }
            None => self.overflow = true,
        }
        None
    }

    fn complete(&mut self) -> Completed<'_> {
        let length = core::mem::replace(&mut self.length, 0);
        if core::mem::replace(&mut self.overflow, false) {
            return Completed::TooLong;
        }
        let line = self.bytes.get(..length).unwrap_or(&[]);
        Completed::Line(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_any_portions() {
        let mut line = Line::EMPTY;
        let mut lines = Vec::new();
        for &byte in b"USER a\r\n\nNOOP\r\nQU" {
            if let Some(Completed::Line(text)) = line.push(byte) {
                lines.push(text.to_vec());
            }
        }
        assert_eq!(lines, [b"USER a".to_vec(), b"".to_vec(), b"NOOP".to_vec()]);
    }

    #[test]
    fn a_line_may_be_as_long_as_the_room_and_no_longer() {
        for (length, fits) in [(LINE_MAX, true), (LINE_MAX + 1, false)] {
            let mut line = Line::EMPTY;
            for _ in 0..length {
                assert_eq!(line.push(b'x'), None);
            }
            let completed = line.push(b'\n').unwrap();
            assert_eq!(completed == Completed::TooLong, !fits);
            assert_eq!(line.push(b'\n'), Some(Completed::Line(b"")));
        }
    }
}
