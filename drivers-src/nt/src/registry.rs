//! Reading registry values. All at `PASSIVE_LEVEL`.

use core::mem::offset_of;
use core::ptr::null_mut;

use crate::status::{NT_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND};
use crate::types::*;
use crate::zw::*;

/// `REG_SZ`: terminated UTF-16.
pub const REG_SZ: u32 = 1;
/// `REG_DWORD`: 32 bits, little-endian.
pub const REG_DWORD: u32 = 4;
/// `REG_MULTI_SZ`: terminated strings, ended by an empty one.
pub const REG_MULTI_SZ: u32 = 7;

/// The largest value that [`Value`] holds, in bytes.
pub const VALUE_MAX: usize = 512;

/// A value as `ZwQueryValueKey` gives it (`KEY_VALUE_PARTIAL_INFORMATION`).
#[repr(C)]
pub struct Value {
    title_index: u32,
    /// One of the `REG_` constants.
    pub kind: u32,
    length: u32,
    data: [u16; VALUE_MAX / 2],
}

impl Value {
    /// The value as 32-bit number; `None` if it is of another type.
    pub fn as_u32(&self) -> Option<u32> {
        match (self.kind, self.length, &self.data) {
            (REG_DWORD, 4, &[low, high, ..]) => Some(u32::from(low) | u32::from(high) << 16),
            _ => None,
        }
    }

    /// The UTF-16 units of a string value, all strings of a multi-string with their terminators.
    pub fn units(&self) -> &[u16] {
        let units = match self.kind {
            REG_SZ | REG_MULTI_SZ => (self.length as usize / 2).min(self.data.len()),
            _ => 0,
        };
        self.data.get(..units).unwrap_or(&[])
    }

    /// The strings of a string or multi-string value, without their terminators.
    pub fn strings(&self) -> impl Iterator<Item = &[u16]> {
        self.units()
            .split(|&unit| unit == 0)
            .filter(|text| !text.is_empty())
    }
}

/// An open registry key, closed on drop.
pub struct Key(HANDLE);

impl Key {
    /// Opens a key by its full path.
    ///
    /// # Errors
    /// The status of `ZwOpenKey`.
    pub unsafe fn open(path: &UNICODE_STRING) -> Result<Key, NTSTATUS> {
        let mut handle = null_mut();
        let status = unsafe { ZwOpenKey(&mut handle, KEY_READ, &named(path)) };
        if NT_SUCCESS(status) {
            Ok(Key(handle))
        } else {
            Err(status)
        }
    }

    /// Reads a value of at most [`VALUE_MAX`] bytes.
    ///
    /// # Errors
    /// The status of `ZwQueryValueKey`; `STATUS_OBJECT_NAME_NOT_FOUND` if there is no such value.
    pub unsafe fn value(&self, name: &'static [u16]) -> Result<Value, NTSTATUS> {
        let name = crate::rtl::unicode(name);
        let mut value = Value {
            title_index: 0,
            kind: 0,
            length: 0,
            data: [0; VALUE_MAX / 2],
        };
        let mut length = 0;
        let status = unsafe {
            ZwQueryValueKey(
                self.0,
                &name,
                KeyValuePartialInformation,
                (&raw mut value).cast(),
                size_of::<Value>() as u32,
                &mut length,
            )
        };
        if !NT_SUCCESS(status) {
            return Err(status);
        }
        if (length as usize) < offset_of!(Value, data) {
            return Err(STATUS_OBJECT_NAME_NOT_FOUND);
        }
        Ok(value)
    }

    /// Reads a 32-bit value, or gives `default` if it is absent or of another type.
    pub unsafe fn u32_or(&self, name: &'static [u16], default: u32) -> u32 {
        unsafe { self.value(name) }
            .ok()
            .and_then(|v| v.as_u32())
            .unwrap_or(default)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        unsafe { ZwClose(self.0) };
    }
}
