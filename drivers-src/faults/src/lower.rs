//! A second device, which other cases send requests to: `\Device\FaultsLower`.

use core::ptr::null_mut;

use nt::global::Global;
use nt::io::*;
use nt::rtl::unicode;
use nt::status::*;
use nt::types::*;
use nt::wide;

/// Answers with the number 4, at once.
pub const IOCTL_ANSWER: u32 =
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x810, METHOD_BUFFERED, FILE_ANY_ACCESS);

static DEVICE: Global<*mut DEVICE_OBJECT> = Global::new(null_mut());

/// Creates the device.
#[unsafe(link_section = "INIT")]
#[inline(never)]
pub unsafe fn create(driver: *mut DRIVER_OBJECT) -> NTSTATUS {
    let name = unicode(wide!("\\Device\\FaultsLower"));
    let device = DEVICE.get();
    unsafe { IoCreateDevice(driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, 0, device) }
}

/// The device.
pub unsafe fn device() -> *mut DEVICE_OBJECT {
    unsafe { *DEVICE.get() }
}

/// `IRP_MJ_INTERNAL_DEVICE_CONTROL`: with a buffer, the answer; without one, the request is marked
/// pending and completed before this returns, as any driver may.
pub unsafe extern "system" fn control(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let buffer = system_buffer(irp).cast::<u32>();
        if buffer.is_null() {
            IoMarkIrpPending(irp);
            complete(irp, STATUS_SUCCESS, 0);
            return STATUS_PENDING;
        }
        buffer.write(4);
        complete(irp, STATUS_SUCCESS, 4)
    }
}
