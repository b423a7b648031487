//! The control device: IRPs in, [`crate::requests`] out.

use core::cell::UnsafeCell;

use nt::device_control::device_control;
use nt::io::{complete, system_buffer};
use nt::ke::{KeInitializeEvent, KeSetEvent, SynchronizationEvent, wait};
use nt::status::*;
use nt::types::{DEVICE_OBJECT, IRP, KEVENT, NTSTATUS};

use crate::nat::NAT;
use crate::requests::{self, RequestError};

const STATUS_INFO_LENGTH_MISMATCH: NTSTATUS = 0xC000_0004_u32 as NTSTATUS;
const STATUS_OBJECT_NAME_COLLISION: NTSTATUS = 0xC000_0035_u32 as NTSTATUS;
const STATUS_NOT_FOUND: NTSTATUS = 0xC000_0225_u32 as NTSTATUS;

/// Lets one request at a time through: a synchronization event that is signalled when free.
struct Turnstile(UnsafeCell<KEVENT>);

// The kernel's object has its own lock.
unsafe impl Sync for Turnstile {}

static TURNSTILE: Turnstile = Turnstile(UnsafeCell::new(unsafe { core::mem::zeroed() }));

/// Makes the device ready for requests.
pub unsafe fn start() {
    unsafe { KeInitializeEvent(TURNSTILE.0.get(), SynchronizationEvent, 1) };
}

/// `IRP_MJ_CREATE`, `IRP_MJ_CLEANUP` and `IRP_MJ_CLOSE`: a handle has no state.
#[unsafe(link_section = "PAGE")]
pub unsafe extern "system" fn dispatch_create_close(
    _: *const DEVICE_OBJECT,
    irp: *mut IRP,
) -> NTSTATUS {
    unsafe { complete(irp, STATUS_SUCCESS, 0) }
}

/// `IRP_MJ_DEVICE_CONTROL`. IRQL PASSIVE.
#[unsafe(link_section = "PAGE")]
pub unsafe extern "system" fn dispatch_device_control(
    _: *const DEVICE_OBJECT,
    irp: *mut IRP,
) -> NTSTATUS {
    unsafe {
        let request = device_control(irp);
        let input = request.InputBufferLength.0 as usize;
        let output = request.OutputBufferLength.0 as usize;
        let code = request.IoControlCode.0;
        // A buffered request has one buffer, as long as the longer of its two lengths.
        let start = system_buffer(irp).cast::<u8>();
        let buffer = match start.is_null() {
            true => &mut [],
            false => core::slice::from_raw_parts_mut(start, input.max(output)),
        };
        wait(TURNSTILE.0.get());
        let result = requests::handle(&NAT, code, buffer, input, output);
        KeSetEvent(TURNSTILE.0.get(), 0, 0);
        match result {
            Ok(length) => complete(irp, STATUS_SUCCESS, length),
            Err(error) => complete(irp, status(error), 0),
        }
    }
}

const fn status(error: RequestError) -> NTSTATUS {
    match error {
        RequestError::Unknown => STATUS_INVALID_DEVICE_REQUEST,
        RequestError::TooShort => STATUS_INFO_LENGTH_MISMATCH,
        RequestError::NoRoom => STATUS_BUFFER_TOO_SMALL,
        RequestError::Invalid => STATUS_INVALID_PARAMETER,
        RequestError::NotFound => STATUS_NOT_FOUND,
        RequestError::Exists => STATUS_OBJECT_NAME_COLLISION,
        RequestError::NoMemory => STATUS_INSUFFICIENT_RESOURCES,
    }
}
