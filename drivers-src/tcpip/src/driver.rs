//! `DriverEntry` and the unload routine.

use core::ptr::null_mut;

use nt::io::*;
use nt::rtl::unicode;
use nt::status::{NT_SUCCESS, STATUS_SUCCESS};
use nt::types::*;
use nt::wide;

use crate::link::protocol;
use crate::tdi::{address, dispatch};
use crate::{arp, config, tcp};

/// The major functions that both devices have.
static DISPATCH: [(u8, DRIVER_DISPATCH); 5] = [
    (IRP_MJ_CREATE, dispatch::create),
    (IRP_MJ_CLEANUP, dispatch::cleanup),
    (IRP_MJ_CLOSE, dispatch::close),
    (IRP_MJ_DEVICE_CONTROL, dispatch::control),
    (IRP_MJ_INTERNAL_DEVICE_CONTROL, dispatch::internal_control),
];

/// Starts the driver: reads its settings, makes its devices, binds to the adapters.
///
/// # Safety
/// Called by the I/O manager once, at IRQL PASSIVE.
#[unsafe(link_section = "INIT")]
#[unsafe(no_mangle)]
pub unsafe extern "system" fn DriverEntry(
    driver: *mut DRIVER_OBJECT,
    service: *const UNICODE_STRING,
) -> NTSTATUS {
    unsafe {
        config::read(&*service);
        address::initialize();
        tcp::table::initialize();
        tcp::timer::initialize();

        for (major, routine) in DISPATCH {
            (*driver).MajorFunction[usize::from(major)] = Some(routine);
        }
        (*driver).DriverUnload = Some(unload);

        let mut status = STATUS_SUCCESS;
        for name in [&wide!("\\Device\\Ip")[..], &wide!("\\Device\\Tcp")[..]] {
            if NT_SUCCESS(status) {
                status = create_device(driver, name);
            }
        }
        if NT_SUCCESS(status) {
            status = protocol::register();
        }
        if !NT_SUCCESS(status) {
            delete_devices(driver);
        }
        status
    }
}

#[unsafe(link_section = "INIT")]
#[inline(never)]
unsafe fn create_device(driver: *mut DRIVER_OBJECT, name: &'static [u16]) -> NTSTATUS {
    unsafe {
        let name = unicode(name);
        let mut device = null_mut();
        let status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_NETWORK, 0, 0, &mut device);
        if NT_SUCCESS(status) {
            (*device).Flags |= DO_DIRECT_IO;
        }
        status
    }
}

/// Stops the driver. All files are closed by then, so there are no connections.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
unsafe extern "system" fn unload(driver: *const DRIVER_OBJECT) {
    unsafe {
        protocol::deregister();
        tcp::timer::stop();
        arp::clear();
        delete_devices(driver);
    }
}

#[unsafe(link_section = "PAGE")]
#[inline(never)]
unsafe fn delete_devices(driver: *const DRIVER_OBJECT) {
    unsafe {
        let mut device = (*driver).DeviceObject;
        while !device.is_null() {
            let next = (*device).NextDevice;
            IoDeleteDevice(device);
            device = next;
        }
    }
}
