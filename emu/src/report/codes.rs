//! The bugcheck codes.

/// The name of a bugcheck code.
pub fn name(code: u32) -> Option<&'static str> {
    match code {
        0x0A => Some("IRQL_NOT_LESS_OR_EQUAL"),
        0xD1 => Some("DRIVER_IRQL_NOT_LESS_OR_EQUAL"),
        _ => None,
    }
}
