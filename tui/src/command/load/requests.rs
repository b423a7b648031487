//! The requests that are sent to every device.

use std::fmt;
use std::str::FromStr;

/// Bytes that are read and written unless the user says otherwise, and the length of the output
/// buffer of a control request.
pub const LENGTH: u32 = 16;
/// Longest output buffer that can be asked for, in bytes.
const OUTPUT_MAX: u32 = 1 << 20;

/// A control request: `CODE[:in=HEX,out=N]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The control code.
    pub code: u32,
    /// The bytes of the input buffer.
    pub input: Vec<u8>,
    /// The length of the output buffer in bytes.
    pub output: u32,
}

impl Control {
    /// The request with a code that was found in a driver: zeros, and room for an answer.
    pub fn found(code: u32) -> Control {
        Control {
            code,
            input: vec![0; LENGTH as usize],
            output: LENGTH,
        }
    }
}

impl FromStr for Control {
    type Err = String;

    fn from_str(text: &str) -> Result<Control, String> {
        let example =
            "write a number and what goes with it, for example 0x222000:in=01000000,out=16";
        let (code, rest) = text.split_once(':').unwrap_or((text, ""));
        let number = |text: &str| match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        let Some(code) = number(code.trim()) else {
            return Err(format!("'{code}' is no control code; {example}"));
        };
        let mut control = Control {
            code,
            input: Vec::new(),
            output: 0,
        };
        for part in rest.split(',').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("in", digits)) => control.input = bytes(digits)?,
                Some(("out", length)) => {
                    let length = number(length).filter(|&n| n <= OUTPUT_MAX);
                    let wrong = format!("out= is a number of bytes up to {OUTPUT_MAX}");
                    control.output = length.ok_or(wrong)?;
                }
                _ => return Err(format!("'{part}' is neither in= nor out=; {example}")),
            }
        }
        Ok(control)
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.code)?;
        let mut sign = ':';
        if !self.input.is_empty() {
            write!(f, "{sign}in={}", digits(&self.input))?;
            sign = ',';
        }
        match self.output {
            0 => Ok(()),
            length => write!(f, "{sign}out={length}"),
        }
    }
}

/// Bytes as hexadecimal digits.
pub fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("'{text}' are no bytes in hexadecimal: two digits make one");
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok();
            let digits = pair.filter(|pair| pair.chars().all(|c| c.is_ascii_hexdigit()));
            let byte = digits.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            byte.ok_or_else(wrong)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_requests_are_read_and_written() {
        for text in [
            "0x00222000",
            "0x00222000:in=0100ff",
            "0x00222000:out=8",
            "0x00222004:in=01,out=1048576",
        ] {
            assert_eq!(text.parse::<Control>().unwrap().to_string(), text);
        }
        assert_eq!("16".parse::<Control>().unwrap().code, 16);
        for (text, part) in [
            ("", "no control code"),
            ("code", "no control code"),
            ("0x100000000", "no control code"),
            ("1:in=123", "two digits"),
            ("1:in=+1", "two digits"),
            ("1:out=1048577", "up to 1048576"),
            ("1:size=3", "neither in= nor out="),
        ] {
            let error = text.parse::<Control>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
