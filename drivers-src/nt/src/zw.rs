//! System services called from the kernel: files, keys, handles. All at `PASSIVE_LEVEL`.

use core::ptr::null;

use crate::types::*;

/// `OBJ_CASE_INSENSITIVE`
pub const OBJ_CASE_INSENSITIVE: u32 = 0x40;
/// `GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE`
pub const READ_WRITE: u32 = 0xC010_0000;
/// `KEY_READ`
pub const KEY_READ: u32 = 0x2_0019;
/// `FILE_SHARE_READ | FILE_SHARE_WRITE`
pub const FILE_SHARE_READ_WRITE: u32 = 3;
/// `FILE_OPEN_IF`
pub const FILE_OPEN_IF: u32 = 3;
/// `KeyValuePartialInformation`
pub const KeyValuePartialInformation: i32 = 2;
/// `FILE_ATTRIBUTE_NORMAL`
pub const FILE_ATTRIBUTE_NORMAL: u32 = 0x80;

import! { "ntoskrnl.exe" "system"
    /// Opens or creates a file or device; `EaBuffer` is a `FILE_FULL_EA_INFORMATION` list.
    fn ZwCreateFile(
        FileHandle: *mut HANDLE, DesiredAccess: u32, ObjectAttributes: *const OBJECT_ATTRIBUTES,
        IoStatusBlock: *mut IO_STATUS_BLOCK, AllocationSize: *const i64, FileAttributes: u32,
        ShareAccess: u32, CreateDisposition: u32, CreateOptions: u32, EaBuffer: *mut c_void,
        EaLength: u32,
    ) -> NTSTATUS;
    /// Opens a registry key.
    fn ZwOpenKey(
        KeyHandle: *mut HANDLE, DesiredAccess: u32, ObjectAttributes: *const OBJECT_ATTRIBUTES,
    ) -> NTSTATUS;
    /// Reads a registry value.
    fn ZwQueryValueKey(
        KeyHandle: HANDLE, ValueName: *const UNICODE_STRING, InformationClass: i32,
        Information: *mut c_void, Length: u32, ResultLength: *mut u32,
    ) -> NTSTATUS;
    /// Closes a handle.
    fn ZwClose(Handle: HANDLE) -> NTSTATUS;
}

/// `InitializeObjectAttributes` for a name from the root, without regard to case.
pub fn named(name: &UNICODE_STRING) -> OBJECT_ATTRIBUTES {
    OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: core::ptr::null_mut(),
        ObjectName: name,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: null(),
        SecurityQualityOfService: null(),
    }
}
