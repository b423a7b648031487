//! Addresses as the registry writes them: dotted decimal in UTF-16.

/// An IPv4 address in host byte order; `None` unless the text is exactly four decimal numbers
/// from 0 to 255.
pub fn parse(text: &[u16]) -> Option<u32> {
    let mut address = 0u32;
    let mut parts = 0;
    for part in text.split(|&unit| unit == u16::from(b'.')) {
        if part.is_empty() || part.len() > 3 {
            return None;
        }
        let mut number = 0u32;
        for &unit in part {
            let digit = char::from_u32(u32::from(unit))?.to_digit(10)?;
            number = number * 10 + digit;
        }
        if number > 255 {
            return None;
        }
        address = address << 8 | number;
        parts += 1;
    }
    (parts == 4).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn good_and_bad() {
        assert_eq!(parse(&wide("10.0.0.1")), Some(0x0A00_0001));
        assert_eq!(parse(&wide("255.255.255.0")), Some(0xFFFF_FF00));
        for bad in [
            "",
            "10.0.0",
            "10.0.0.1.2",
            "10.0.0.256",
            "10..0.1",
            "a.b.c.d",
            "1.2.3.0004",
        ] {
            assert_eq!(parse(&wide(bad)), None, "{bad}");
        }
    }
}
