//! `NTSTATUS` values, from the public `ntstatus.h`.

/// Declares the values and the table of their names.
macro_rules! statuses {
    ($($value:literal $name:ident)*) => {
        $(#[doc = concat!("`STATUS_", stringify!($name), "`")]
        pub const $name: u32 = $value;)*

        /// Every value above, in ascending order, with its name.
        pub const NAMES: &[(u32, &str)] = &[$(($value, concat!("STATUS_", stringify!($name))),)*];
    };
}

statuses! {
    0x0000_0000 SUCCESS
    0x0000_0102 TIMEOUT
    0x0000_0103 PENDING
    0x8000_0003 BREAKPOINT
    0x8000_0005 BUFFER_OVERFLOW
    0x8000_0006 NO_MORE_FILES
    0x8000_0011 DEVICE_BUSY
    0x8000_0014 EA_LIST_INCONSISTENT
    0x8000_001A NO_MORE_ENTRIES
    0xC000_0001 UNSUCCESSFUL
    0xC000_0002 NOT_IMPLEMENTED
    0xC000_0003 INVALID_INFO_CLASS
    0xC000_0004 INFO_LENGTH_MISMATCH
    0xC000_0005 ACCESS_VIOLATION
    0xC000_0008 INVALID_HANDLE
    0xC000_000D INVALID_PARAMETER
    0xC000_000E NO_SUCH_DEVICE
    0xC000_000F NO_SUCH_FILE
    0xC000_0010 INVALID_DEVICE_REQUEST
    0xC000_0011 END_OF_FILE
    0xC000_0016 MORE_PROCESSING_REQUIRED
    0xC000_0017 NO_MEMORY
    0xC000_001D ILLEGAL_INSTRUCTION
    0xC000_0022 ACCESS_DENIED
    0xC000_0023 BUFFER_TOO_SMALL
    0xC000_0024 OBJECT_TYPE_MISMATCH
    0xC000_0033 OBJECT_NAME_INVALID
    0xC000_0034 OBJECT_NAME_NOT_FOUND
    0xC000_0035 OBJECT_NAME_COLLISION
    0xC000_003A OBJECT_PATH_NOT_FOUND
    0xC000_003B OBJECT_PATH_SYNTAX_BAD
    0xC000_0094 INTEGER_DIVIDE_BY_ZERO
    0xC000_0095 INTEGER_OVERFLOW
    0xC000_009A INSUFFICIENT_RESOURCES
    0xC000_00A3 DEVICE_NOT_READY
    0xC000_00B5 IO_TIMEOUT
    0xC000_00BB NOT_SUPPORTED
    0xC000_0120 CANCELLED
    0xC000_0121 CANNOT_DELETE
    0xC000_017C KEY_DELETED
    0xC000_0206 INVALID_BUFFER_SIZE
    0xC000_021B DATA_NOT_ACCEPTED
    0xC000_023A CONNECTION_INVALID
}

/// `STATUS_WAIT_0`: the first object of a wait is what ended it; the others follow.
pub const WAIT_0: u32 = 0;

/// `NT_SUCCESS`: a success or an information.
pub fn is_success(status: u32) -> bool {
    status < 0x8000_0000
}

/// `NT_ERROR`: neither a success, nor an information, nor a warning.
pub fn is_error(status: u32) -> bool {
    status >= 0xC000_0000
}

/// The name of a value; `unknown status` for one that the kernel model does not use.
pub fn name(status: u32) -> &'static str {
    let at = NAMES.binary_search_by_key(&status, |(value, _)| *value);
    at.map_or("unknown status", |at| NAMES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_searchable() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(name(ACCESS_VIOLATION), "STATUS_ACCESS_VIOLATION");
        assert_eq!(name(0xDEAD_BEEF), "unknown status");
    }

    #[test]
    fn severities() {
        assert!(is_success(PENDING) && !is_error(PENDING));
        assert!(!is_success(BUFFER_OVERFLOW) && !is_error(BUFFER_OVERFLOW));
        assert!(!is_success(CANCELLED) && is_error(CANCELLED));
    }
}
