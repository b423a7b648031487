//! The parameters of a device control request.

use core::mem::offset_of;

use crate::io::{current_stack, parameters};
use crate::types::IRP;

/// A 32-bit field that the DDK aligns like a pointer (`POINTER_ALIGNMENT`).
#[cfg_attr(target_pointer_width = "64", repr(C, align(8)))]
#[cfg_attr(target_pointer_width = "32", repr(C))]
#[derive(Clone, Copy)]
pub struct PointerAligned(pub u32);

/// `IO_STACK_LOCATION.Parameters.DeviceIoControl`, without the pointer of its last field.
///
/// The structure of that name in `windows-sys` packs the three numbers, which is right for 32-bit
/// x86 only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DeviceIoControl {
    /// Room for the answer, in bytes.
    pub OutputBufferLength: PointerAligned,
    /// Length of the input, in bytes.
    pub InputBufferLength: PointerAligned,
    /// The `CTL_CODE` of the request.
    pub IoControlCode: PointerAligned,
}

const POINTER: usize = size_of::<usize>();
const _: () = assert!(offset_of!(DeviceIoControl, InputBufferLength) == POINTER);
const _: () = assert!(offset_of!(DeviceIoControl, IoControlCode) == 2 * POINTER);

/// The parameters of an `IRP_MJ_DEVICE_CONTROL` request at its current stack location.
pub unsafe fn device_control(irp: *mut IRP) -> DeviceIoControl {
    unsafe { *parameters::<DeviceIoControl>(current_stack(irp)) }
}
