//! Memory manager: MDLs.

use crate::types::*;

/// `MDL_MAPPED_TO_SYSTEM_VA`
pub const MDL_MAPPED_TO_SYSTEM_VA: i16 = 0x0001;
/// `MDL_SOURCE_IS_NONPAGED_POOL`
pub const MDL_SOURCE_IS_NONPAGED_POOL: i16 = 0x0004;

import! { "ntoskrnl.exe" "system"
    /// Fills the MDL of a buffer in nonpaged pool. IRQL <= DISPATCH.
    fn MmBuildMdlForNonPagedPool(Mdl: *mut MDL);
    /// Maps locked pages into system space. IRQL <= DISPATCH for kernel mode.
    fn MmMapLockedPages(Mdl: *mut MDL, AccessMode: KPROCESSOR_MODE) -> *mut c_void;
}

/// The system address of the bytes that an MDL describes; maps them if that was not done yet.
pub unsafe fn MmGetSystemAddressForMdl(mdl: *mut MDL) -> *mut u8 {
    unsafe {
        if (*mdl).MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL) != 0 {
            (*mdl).MappedSystemVa.cast()
        } else {
            MmMapLockedPages(mdl, KernelMode).cast()
        }
    }
}

/// The number of bytes that an MDL describes.
pub unsafe fn MmGetMdlByteCount(mdl: *const MDL) -> u32 {
    unsafe { (*mdl).ByteCount }
}
