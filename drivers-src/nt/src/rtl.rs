//! Run-time library: counted strings.

use crate::types::*;

import! { "ntoskrnl.exe" "system"
    /// Points a counted string at a terminated one.
    fn RtlInitUnicodeString(DestinationString: *mut UNICODE_STRING, SourceString: *const u16);
    /// The number of leading bytes that are equal.
    fn RtlCompareMemory(Source1: *const c_void, Source2: *const c_void, Length: usize) -> usize;
}

/// The UTF-16 text of an ASCII literal, terminated, as a static array; for [`unicode`].
#[macro_export]
macro_rules! wide {
    ($text:literal) => {{
        const BYTES: &[u8] = $text.as_bytes();
        static WIDE: [u16; BYTES.len() + 1] = {
            let mut wide = [0; BYTES.len() + 1];
            let mut i = 0;
            while i < BYTES.len() {
                assert!(BYTES[i] < 0x80, "only ASCII");
                wide[i] = BYTES[i] as u16;
                i += 1;
            }
            wide
        };
        &WIDE
    }};
}

/// A counted string over `text`, which ends with the terminator that the count leaves out.
pub const fn unicode(text: &'static [u16]) -> UNICODE_STRING {
    let bytes = (text.len() * 2) as u16;
    UNICODE_STRING {
        Length: bytes.saturating_sub(2),
        MaximumLength: bytes,
        Buffer: text.as_ptr().cast_mut(),
    }
}
