//! The device.

use core::ptr::null_mut;

use nt::device_control::device_control;
use nt::io::*;
use nt::rtl::unicode;
use nt::status::*;
use nt::types::{DEVICE_OBJECT, DRIVER_OBJECT, IRP, NTSTATUS, UNICODE_STRING};

use crate::cases::{CASES, unload as unload_cases};

const IOCTL_RUN_RULE: u32 = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS);

/// Creates the device.
///
/// # Safety
/// Called by the kernel, once.
#[unsafe(no_mangle)]
#[unsafe(link_section = "INIT")]
pub unsafe extern "system" fn DriverEntry(
    driver: *mut DRIVER_OBJECT,
    _registry_path: *const UNICODE_STRING,
) -> NTSTATUS {
    unsafe {
        let mut device = null_mut();
        let name = unicode(nt::wide!("\\Device\\Rules"));
        let status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, 0, &mut device);
        if NT_SUCCESS(status) {
            let functions = &mut (*driver).MajorFunction;
            for function in [
                IRP_MJ_CREATE,
                IRP_MJ_CLEANUP,
                IRP_MJ_CLOSE,
                IRP_MJ_INTERNAL_DEVICE_CONTROL,
            ] {
                functions[usize::from(function)] = Some(succeed);
            }
            functions[usize::from(IRP_MJ_DEVICE_CONTROL)] = Some(control);
            (*driver).DriverUnload = Some(unload);
        }
        status
    }
}

unsafe extern "system" fn unload(driver: *const DRIVER_OBJECT) {
    unsafe {
        unload_cases();
        IoDeleteDevice((*driver).DeviceObject);
    }
}

unsafe extern "system" fn succeed(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe { complete(irp, STATUS_SUCCESS, 0) }
}

/// `IRP_MJ_DEVICE_CONTROL`: breaks or keeps the rule that the input names.
unsafe extern "system" fn control(device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let request = device_control(irp);
        if request.IoControlCode.0 != IOCTL_RUN_RULE {
            return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
        }
        let length = request.InputBufferLength.0 as usize;
        let text = match length {
            0 => &[][..],
            _ => core::slice::from_raw_parts(system_buffer(irp).cast::<u8>(), length),
        };
        match CASES.iter().find(|(name, _)| name.as_bytes() == text) {
            Some((_, run)) => run(device, irp),
            None => complete(irp, STATUS_INVALID_PARAMETER, 0),
        }
    }
}
