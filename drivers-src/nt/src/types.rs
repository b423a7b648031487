//! NT's structures and the scalar names of its headers.

pub use core::ffi::c_void;

pub use windows_sys::Wdk::Foundation::{
    DEVICE_OBJECT, DISPATCHER_HEADER, DRIVER_OBJECT, FILE_OBJECT, IO_STACK_LOCATION, IRP, KDPC,
    KEVENT, MDL, OBJECT_ATTRIBUTES,
};
pub use windows_sys::Wdk::System::SystemServices::KTIMER;
pub use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
pub use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
pub use windows_sys::Win32::System::Kernel::LIST_ENTRY;

/// Interrupt request level: 0 is `PASSIVE_LEVEL`, 2 is `DISPATCH_LEVEL` on every architecture.
pub type KIRQL = u8;

/// A spin lock: 0 is free.
pub type KSPIN_LOCK = usize;

/// `KPROCESSOR_MODE`: 0 is kernel mode.
pub type KPROCESSOR_MODE = i8;

/// `KernelMode`.
pub const KernelMode: KPROCESSOR_MODE = 0;

/// The routine of a DPC. It runs at `DISPATCH_LEVEL`.
pub type KDEFERRED_ROUTINE = unsafe extern "system" fn(
    dpc: *mut KDPC,
    context: *mut c_void,
    argument1: *mut c_void,
    argument2: *mut c_void,
);

/// The routine of a system thread. It starts at `PASSIVE_LEVEL`.
pub type KSTART_ROUTINE = unsafe extern "system" fn(context: *mut c_void);

/// A dispatch routine of a driver.
pub type DRIVER_DISPATCH =
    unsafe extern "system" fn(device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS;

/// The unload routine of a driver. It runs at `PASSIVE_LEVEL`.
pub type DRIVER_UNLOAD = unsafe extern "system" fn(driver: *const DRIVER_OBJECT);

/// A cancel routine: called with the cancel spin lock held, which it must release.
pub type DRIVER_CANCEL = unsafe extern "system" fn(device: *mut DEVICE_OBJECT, irp: *mut IRP);

/// A completion routine. Its result is `STATUS_SUCCESS` or `STATUS_MORE_PROCESSING_REQUIRED`.
pub type IO_COMPLETION_ROUTINE = unsafe extern "system" fn(
    device: *mut DEVICE_OBJECT,
    irp: *mut IRP,
    context: *mut c_void,
) -> NTSTATUS;

/// A pool tag from its four characters, in the order in which a debugger shows them.
pub const fn tag(characters: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*characters)
}
