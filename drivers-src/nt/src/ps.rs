//! Processes and objects: system threads, references.

use crate::types::*;

/// `SYNCHRONIZE`, the right to wait for an object.
pub const SYNCHRONIZE: u32 = 0x0010_0000;
/// `THREAD_ALL_ACCESS` before Windows Vista.
pub const THREAD_ALL_ACCESS: u32 = 0x001F_03FF;

import! { "ntoskrnl.exe" "system"
    /// Starts a system thread. IRQL PASSIVE.
    fn PsCreateSystemThread(
        ThreadHandle: *mut HANDLE, DesiredAccess: u32, ObjectAttributes: *const OBJECT_ATTRIBUTES,
        ProcessHandle: HANDLE, ClientId: *mut c_void, StartRoutine: KSTART_ROUTINE,
        StartContext: *mut c_void,
    ) -> NTSTATUS;
    /// Ends the calling system thread.
    fn PsTerminateSystemThread(ExitStatus: NTSTATUS) -> NTSTATUS;
    /// The object behind a handle, referenced. IRQL PASSIVE.
    fn ObReferenceObjectByHandle(
        Handle: HANDLE, DesiredAccess: u32, ObjectType: *mut c_void, AccessMode: KPROCESSOR_MODE,
        Object: *mut *mut c_void, HandleInformation: *mut c_void,
    ) -> NTSTATUS;
}

#[cfg(target_arch = "x86")]
import! { "ntoskrnl.exe" "fastcall"
    /// Drops a reference to an object.
    fn ObfDereferenceObject(Object: *mut c_void) -> isize;
}

#[cfg(not(target_arch = "x86"))]
import! { "ntoskrnl.exe" "system"
    /// Drops a reference to an object.
    fn ObfDereferenceObject(Object: *mut c_void) -> isize;
}
