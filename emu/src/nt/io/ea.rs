//! Extended attributes of a create request: how transport drivers are told what to open.
//!
//! Windows driver documentation: "FILE_FULL_EA_INFORMATION", "IoCheckEaBufferValidity".

use crate::scenario::plan::ExtendedAttribute;

/// A `FILE_FULL_EA_INFORMATION` list of one attribute: next entry, flags, length of the name,
/// length of the value, name with its terminator, value (Windows driver documentation).
pub(super) fn encode(ea: &ExtendedAttribute) -> Vec<u8> {
    let mut out = vec![0, 0, 0, 0, 0, ea.name.len() as u8];
    out.extend((ea.value.len() as u16).to_le_bytes());
    out.extend(ea.name.as_bytes());
    out.push(0);
    out.extend(&ea.value);
    out
}

/// Whether a `FILE_FULL_EA_INFORMATION` list is well formed, as `IoCheckEaBufferValidity` wants it:
/// each name is terminated, each entry begins where the one before says, on a multiple of four.
pub(super) fn is_valid(list: &[u8]) -> bool {
    let mut rest = list;
    loop {
        let &[n0, n1, n2, n3, _, name, v0, v1, ..] = rest else {
            return false;
        };
        let next = u32::from_le_bytes([n0, n1, n2, n3]) as usize;
        let value = usize::from(u16::from_le_bytes([v0, v1]));
        let name_end = 8 + usize::from(name);
        let end = name_end + 1 + value;
        if end > rest.len() || rest[name_end] != 0 {
            return false;
        }
        if next == 0 {
            return true;
        }
        if next != end.next_multiple_of(4) || next > rest.len() {
            return false;
        }
        rest = &rest[next..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One entry: name, value, and the distance to the next entry.
    fn entry(next: u32, name: &[u8], value: &[u8]) -> Vec<u8> {
        let mut out = next.to_le_bytes().to_vec();
        out.extend([0, name.len() as u8]);
        out.extend((value.len() as u16).to_le_bytes());
        out.extend(name);
        out.push(0);
        out.extend(value);
        out
    }

    #[test]
    fn attribute_lists() {
        let one = entry(0, b"TransportAddress", &[1, 2, 3]);
        assert!(is_valid(&one));
        let mut two = entry(16, b"Name", &[7, 7, 7]);
        two.extend(entry(0, b"Other", &[]));
        assert!(is_valid(&two));
    }

    #[test]
    fn broken_attribute_lists() {
        let good = entry(0, b"Name", &[1, 2]);
        assert!(!is_valid(&good[..good.len() - 1]), "cut short");
        assert!(!is_valid(&good[..7]), "no room for the header");
        let mut unterminated = good.clone();
        unterminated[12] = b'x';
        assert!(!is_valid(&unterminated));
        assert!(
            !is_valid(&entry(12, b"Name", &[1, 2])),
            "next entry inside this"
        );
        assert!(
            !is_valid(&entry(16, b"Name", &[1, 2])),
            "next entry outside"
        );
    }

    #[test]
    fn an_attribute_as_the_native_interface_wants_it() {
        let ea = ExtendedAttribute {
            name: "AB".into(),
            value: vec![9, 8, 7],
        };
        assert_eq!(
            encode(&ea),
            [0, 0, 0, 0, 0, 2, 3, 0, b'A', b'B', 0, 9, 8, 7]
        );
    }
}
