//! The extended attribute that says what an open is for.

use core::mem::offset_of;

use nt::tdi::*;
use nt::types::c_void;

/// What is being opened.
pub enum Opening {
    /// No attribute: the control channel.
    Control,
    /// An address: where, in host byte order; port 0 for any.
    Address(u32, u16),
    /// A connection, with the client's name for it.
    Connection(*mut c_void),
    /// Something that is not understood.
    Unknown,
}

/// Reads the attribute of a create request: `length` bytes at `buffer`, or none.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn parse(buffer: *const u8, length: usize) -> Opening {
    if buffer.is_null() || length == 0 {
        return Opening::Control;
    }
    if length < EA_NAME_OFFSET {
        return Opening::Unknown;
    }
    let bytes = unsafe { core::slice::from_raw_parts(buffer, length) };
    read(bytes).unwrap_or(Opening::Unknown)
}

#[unsafe(link_section = "PAGE")]
#[inline(never)]
fn read(bytes: &[u8]) -> Option<Opening> {
    let name_length = usize::from(*bytes.get(offset_of!(FILE_FULL_EA_INFORMATION, EaNameLength))?);
    let at = offset_of!(FILE_FULL_EA_INFORMATION, EaValueLength);
    let value_length = usize::from(u16_at(bytes, at)?);
    let name = bytes.get(EA_NAME_OFFSET..EA_NAME_OFFSET + name_length)?;
    let start = EA_NAME_OFFSET + name_length + 1;
    let value = bytes.get(start..start + value_length)?;
    if name == TdiTransportAddress {
        address(value)
    } else if name == TdiConnectionContext {
        let context = value
            .first_chunk()
            .map(|bytes| usize::from_ne_bytes(*bytes))?;
        Some(Opening::Connection(context as *mut c_void))
    } else {
        None
    }
}

/// The first IP address of a transport address.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
fn address(value: &[u8]) -> Option<Opening> {
    let mut at = offset_of!(TA_IP_ADDRESS, AddressLength);
    let count = u32::from_ne_bytes(*value.first_chunk()?);
    for _ in 0..count {
        let length = usize::from(u16_at(value, at)?);
        if u16_at(value, at + 2)? == TDI_ADDRESS_TYPE_IP {
            let port = value.get(at + 4..)?.first_chunk()?;
            let address = value.get(at + 6..)?.first_chunk()?;
            return Some(Opening::Address(
                u32::from_be_bytes(*address),
                u16::from_be_bytes(*port),
            ));
        }
        at += 4 + length;
    }
    None
}

#[unsafe(link_section = "PAGE")]
#[inline(never)]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|pair| u16::from_ne_bytes(*pair))
}
