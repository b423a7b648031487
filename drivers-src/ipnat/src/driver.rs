//! Loading and unloading.

use core::ptr::null_mut;

use nt::io::*;
use nt::rtl::unicode;
use nt::status::{NT_SUCCESS, STATUS_SUCCESS};
use nt::types::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

use crate::nat::NAT;
use crate::{control, hook, sweep};

fn device_name() -> UNICODE_STRING {
    unicode(nt::wide!("\\Device\\IPNAT"))
}

fn link_name() -> UNICODE_STRING {
    unicode(nt::wide!("\\DosDevices\\IPNAT"))
}

/// Creates the control device and hooks the forward path. tcpip.sys must be loaded.
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
        let name = device_name();
        let status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_NETWORK, 0, 0, &mut device);
        if !NT_SUCCESS(status) {
            return status;
        }
        let status = IoCreateSymbolicLink(&link_name(), &name);
        if !NT_SUCCESS(status) {
            IoDeleteDevice(device);
            return status;
        }
        let functions = &mut (*driver).MajorFunction;
        for function in [IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE] {
            functions[usize::from(function)] = Some(control::dispatch_create_close);
        }
        functions[usize::from(IRP_MJ_DEVICE_CONTROL)] = Some(control::dispatch_device_control);
        (*driver).DriverUnload = Some(driver_unload);
        control::start();
        sweep::start();
        if let Err(status) = hook::set(true) {
            sweep::stop();
            IoDeleteSymbolicLink(&link_name());
            IoDeleteDevice(device);
            return status;
        }
        STATUS_SUCCESS
    }
}

/// Undoes everything: no packet, no sweep and no request comes in any more when the memory goes.
#[unsafe(link_section = "PAGE")]
unsafe extern "system" fn driver_unload(driver: *const DRIVER_OBJECT) {
    unsafe {
        // Fails only if tcpip.sys is gone, and its hooks with it.
        let _ = hook::set(false);
        sweep::stop();
        NAT.delete_all();
        IoDeleteSymbolicLink(&link_name());
        IoDeleteDevice((*driver).DeviceObject);
    }
}
