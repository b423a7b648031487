//! I/O manager: devices, IRPs and their stack locations.

use core::ptr::null_mut;

use crate::status::STATUS_PENDING;
use crate::types::*;

/// `IRP_MJ_CREATE`
pub const IRP_MJ_CREATE: u8 = 0x00;
/// `IRP_MJ_CLOSE`: the last reference to the file object is gone.
pub const IRP_MJ_CLOSE: u8 = 0x02;
/// `IRP_MJ_DEVICE_CONTROL`
pub const IRP_MJ_DEVICE_CONTROL: u8 = 0x0E;
/// `IRP_MJ_INTERNAL_DEVICE_CONTROL`
pub const IRP_MJ_INTERNAL_DEVICE_CONTROL: u8 = 0x0F;
/// `IRP_MJ_CLEANUP`: the last handle is gone.
pub const IRP_MJ_CLEANUP: u8 = 0x12;

/// `SL_PENDING_RETURNED`
pub const SL_PENDING_RETURNED: u8 = 0x01;
/// `SL_INVOKE_ON_CANCEL | SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR`
pub const SL_INVOKE_ALWAYS: u8 = 0xE0;

/// `DO_DIRECT_IO`
pub const DO_DIRECT_IO: u32 = 0x10;
/// `DO_DEVICE_INITIALIZING`
pub const DO_DEVICE_INITIALIZING: u32 = 0x80;
/// `FILE_DEVICE_NETWORK`
pub const FILE_DEVICE_NETWORK: u32 = 0x12;
/// `FILE_DEVICE_UNKNOWN`, the type of a device that is like no other.
pub const FILE_DEVICE_UNKNOWN: u32 = 0x22;
/// `IO_NETWORK_INCREMENT`, the priority boost of a network completion.
pub const IO_NETWORK_INCREMENT: i8 = 2;
/// `METHOD_BUFFERED`
pub const METHOD_BUFFERED: u32 = 0;
/// `FILE_ANY_ACCESS`
pub const FILE_ANY_ACCESS: u32 = 0;
/// `FILE_WRITE_ACCESS`
pub const FILE_WRITE_ACCESS: u32 = 2;

/// `CTL_CODE`
pub const fn CTL_CODE(device: u32, function: u32, method: u32, access: u32) -> u32 {
    device << 16 | access << 14 | function << 2 | method
}

import! { "ntoskrnl.exe" "system"
    /// Creates a device object with `ExtensionSize` zeroed bytes. IRQL PASSIVE.
    fn IoCreateDevice(
        Driver: *mut DRIVER_OBJECT, ExtensionSize: u32, Name: *const UNICODE_STRING,
        DeviceType: u32, Characteristics: u32, Exclusive: u8, Device: *mut *mut DEVICE_OBJECT,
    ) -> NTSTATUS;
    /// Deletes a device object.
    fn IoDeleteDevice(Device: *mut DEVICE_OBJECT);
    /// Makes a second name for a device.
    fn IoCreateSymbolicLink(Link: *const UNICODE_STRING, Name: *const UNICODE_STRING) -> NTSTATUS;
    /// Removes a second name.
    fn IoDeleteSymbolicLink(Link: *const UNICODE_STRING) -> NTSTATUS;
    /// The top device of a named stack and a referenced file object for it. IRQL PASSIVE.
    fn IoGetDeviceObjectPointer(
        Name: *const UNICODE_STRING, DesiredAccess: u32, File: *mut *mut FILE_OBJECT,
        Device: *mut *mut DEVICE_OBJECT,
    ) -> NTSTATUS;
    /// The device that requests for a file go to.
    fn IoGetRelatedDeviceObject(File: *mut FILE_OBJECT) -> *mut DEVICE_OBJECT;
    /// Allocates an IRP; null if there is none. IRQL <= DISPATCH.
    fn IoAllocateIrp(StackSize: i8, ChargeQuota: u8) -> *mut IRP;
    /// Frees an IRP.
    fn IoFreeIrp(Irp: *mut IRP);
    /// Builds a synchronous device control request; the I/O manager frees it on completion.
    /// IRQL PASSIVE.
    fn IoBuildDeviceIoControlRequest(
        IoControlCode: u32, Device: *mut DEVICE_OBJECT, Input: *mut c_void, InputLength: u32,
        Output: *mut c_void, OutputLength: u32, Internal: u8, Event: *mut KEVENT,
        IoStatus: *mut IO_STATUS_BLOCK,
    ) -> *mut IRP;
    /// Allocates an MDL for a buffer; the pages are not filled in. IRQL <= DISPATCH.
    fn IoAllocateMdl(
        Address: *mut c_void, Length: u32, Secondary: u8, ChargeQuota: u8, Irp: *mut IRP,
    ) -> *mut MDL;
    /// Frees an MDL.
    fn IoFreeMdl(Mdl: *mut MDL);
    /// Takes the cancel spin lock.
    fn IoAcquireCancelSpinLock(Irql: *mut KIRQL);
    /// Releases the cancel spin lock.
    fn IoReleaseCancelSpinLock(Irql: KIRQL);
}

#[cfg(target_arch = "x86")]
import! { "ntoskrnl.exe" "fastcall"
    /// Hands an IRP to a driver's dispatch routine.
    fn IofCallDriver(Device: *mut DEVICE_OBJECT, Irp: *mut IRP) -> NTSTATUS;
    /// Ends an IRP: runs completion routines up the stack.
    fn IofCompleteRequest(Irp: *mut IRP, PriorityBoost: i8);
}

#[cfg(not(target_arch = "x86"))]
import! { "ntoskrnl.exe" "system"
    /// Hands an IRP to a driver's dispatch routine.
    fn IofCallDriver(Device: *mut DEVICE_OBJECT, Irp: *mut IRP) -> NTSTATUS;
    /// Ends an IRP: runs completion routines up the stack.
    fn IofCompleteRequest(Irp: *mut IRP, PriorityBoost: i8);
}

/// `IoGetCurrentIrpStackLocation`
#[inline(always)]
pub unsafe fn current_stack(irp: *mut IRP) -> *mut IO_STACK_LOCATION {
    unsafe {
        (*irp)
            .Tail
            .Overlay
            .Anonymous2
            .Anonymous
            .CurrentStackLocation
    }
}

/// `IoGetNextIrpStackLocation`
#[inline(always)]
pub unsafe fn next_stack(irp: *mut IRP) -> *mut IO_STACK_LOCATION {
    unsafe { current_stack(irp).sub(1) }
}

/// What `POINTER_ALIGNMENT` puts behind a 32-bit field: `windows-sys` leaves it out, so that its
/// parameters of create and control requests are wrong on 64-bit machines.
const ALIGNMENT: usize = size_of::<usize>() - size_of::<u32>();

/// Parameters of `IRP_MJ_CREATE`.
#[repr(C)]
pub struct CREATE_PARAMETERS {
    /// The `IO_SECURITY_CONTEXT`.
    pub SecurityContext: *mut c_void,
    /// Disposition in the upper 8 bits, options below.
    pub Options: u32,
    alignment_1: [u8; ALIGNMENT],
    /// `FILE_ATTRIBUTE_` bits.
    pub FileAttributes: u16,
    /// `FILE_SHARE_` bits.
    pub ShareAccess: u16,
    alignment_2: [u8; ALIGNMENT],
    /// Length of the extended attributes in the system buffer, in bytes.
    pub EaLength: u32,
}

/// Parameters of `IRP_MJ_DEVICE_CONTROL`.
#[repr(C)]
pub struct IOCTL_PARAMETERS {
    /// Room for output, in bytes.
    pub OutputBufferLength: u32,
    alignment_1: [u8; ALIGNMENT],
    /// Length of the input, in bytes.
    pub InputBufferLength: u32,
    alignment_2: [u8; ALIGNMENT],
    /// The control code.
    pub IoControlCode: u32,
    alignment_3: [u8; ALIGNMENT],
    /// The caller's buffer of `METHOD_NEITHER`.
    pub Type3InputBuffer: *mut c_void,
}

/// The parameters of a stack location as the structure that its major function gives them.
#[inline(always)]
pub unsafe fn parameters<T>(stack: *mut IO_STACK_LOCATION) -> *mut T {
    unsafe { (&raw mut (*stack).Parameters).cast() }
}

/// `IoMarkIrpPending`
#[inline(always)]
pub unsafe fn IoMarkIrpPending(irp: *mut IRP) {
    unsafe { (*current_stack(irp)).Control |= SL_PENDING_RETURNED };
}

/// `IoSetCompletionRoutine` for success, error and cancel.
pub unsafe fn set_completion_routine(
    irp: *mut IRP,
    routine: IO_COMPLETION_ROUTINE,
    context: *mut c_void,
) {
    unsafe {
        let stack = next_stack(irp);
        // windows-sys declares the routine without its parameters.
        let routine: unsafe extern "system" fn() -> NTSTATUS = core::mem::transmute(routine);
        (*stack).CompletionRoutine = Some(routine);
        (*stack).Context = context;
        (*stack).Control = SL_INVOKE_ALWAYS;
    }
}

/// The system buffer of a buffered request.
#[inline(always)]
pub unsafe fn system_buffer(irp: *mut IRP) -> *mut c_void {
    unsafe { (*irp).AssociatedIrp.SystemBuffer }
}

/// Ends a request with a status and a byte count.
pub unsafe fn complete(irp: *mut IRP, status: NTSTATUS, information: usize) -> NTSTATUS {
    unsafe {
        (*irp).IoStatus.Anonymous.Status = status;
        (*irp).IoStatus.Information = information;
        IofCompleteRequest(irp, IO_NETWORK_INCREMENT);
    }
    status
}

/// Sends a synchronous IOCTL and waits for its end. IRQL PASSIVE.
///
/// # Errors
/// The final status of the request, or that no IRP could be built.
pub unsafe fn ioctl(
    device: *mut DEVICE_OBJECT,
    code: u32,
    input: &mut [u8],
    output: &mut [u8],
) -> Result<usize, NTSTATUS> {
    use crate::ke::{KeInitializeEvent, NotificationEvent, wait};
    use crate::status::{NT_SUCCESS, STATUS_INSUFFICIENT_RESOURCES};

    unsafe {
        let mut event: KEVENT = core::mem::zeroed();
        let mut result: IO_STATUS_BLOCK = core::mem::zeroed();
        KeInitializeEvent(&mut event, NotificationEvent, 0);
        let irp = IoBuildDeviceIoControlRequest(
            code,
            device,
            or_null(input),
            input.len() as u32,
            or_null(output),
            output.len() as u32,
            0,
            &mut event,
            &mut result,
        );
        if irp.is_null() {
            return Err(STATUS_INSUFFICIENT_RESOURCES);
        }
        let mut status = IofCallDriver(device, irp);
        if status == STATUS_PENDING {
            wait(&mut event);
            status = result.Anonymous.Status;
        }
        if NT_SUCCESS(status) {
            Ok(result.Information)
        } else {
            Err(status)
        }
    }
}

fn or_null(bytes: &mut [u8]) -> *mut c_void {
    if bytes.is_empty() {
        null_mut()
    } else {
        bytes.as_mut_ptr().cast()
    }
}

/// `IoSetNextIrpStackLocation`: what [`IofCallDriver`] does to the stack, for a request that is
/// handed to a transport as the result of an event handler.
pub unsafe fn IoSetNextIrpStackLocation(irp: *mut IRP) {
    unsafe {
        (*irp).CurrentLocation -= 1;
        let next = next_stack(irp);
        (*irp)
            .Tail
            .Overlay
            .Anonymous2
            .Anonymous
            .CurrentStackLocation = next;
    }
}

/// `IoSetCancelRoutine`; gives the old one.
pub unsafe fn set_cancel_routine(
    irp: *mut IRP,
    routine: Option<DRIVER_CANCEL>,
) -> Option<DRIVER_CANCEL> {
    use core::sync::atomic::{AtomicUsize, Ordering};

    unsafe {
        let field = (&raw mut (*irp).CancelRoutine).cast::<AtomicUsize>();
        let new = routine.map_or(0, |routine| routine as usize);
        let old = (*field).swap(new, Ordering::SeqCst);
        core::mem::transmute::<usize, Option<DRIVER_CANCEL>>(old)
    }
}
