//! **faults.sys**: for every kind of fault that irqlab injects, a small piece of a driver that the
//! fault breaks, and the same piece correct. Without its fault the driver with the defects does well
//! too: what it takes for granted is nearly always so.
//!
//! The device is `\Device\Faults`. Its requests carry the name of a case: [`IOCTL_BEGIN`] begins it,
//! [`IOCTL_FINISH`] ends it. The cases of the network are a protocol driver's, bound to
//! `\Device\Faults0`. A file for each case.

#![cfg_attr(windows, no_std)]
#![allow(non_snake_case)]

use core::ptr::null_mut;

use nt::device_control::device_control;
use nt::io::*;
use nt::rtl::unicode;
use nt::status::*;
use nt::types::*;
use nt::wide;

mod answer;
mod clock_jump;
mod dpc_delay;
mod dpc_move;
mod dpc_twice;
mod interrupt;
mod io_cancel;
mod io_elsewhere;
mod io_pend;
mod io_remove;
mod io_unload;
mod ipi_late;
mod irql_leave;
mod irql_raise;
mod lower;
mod net_burst;
mod net_coalesce;
mod net_corrupt;
mod net_delay;
mod net_drop;
mod net_duplicate;
mod net_no_buffers;
mod net_overlap;
mod net_reorder;
mod net_split;
mod net_truncate;
mod page_out;
mod pool_fail;
mod pool_fill;
mod protocol;
mod stall;
mod start;
mod timer_early;
mod timer_late;
mod timer_storm;
mod tools;

/// Begins the case whose name is the input.
pub const IOCTL_BEGIN: u32 = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS);
/// Ends the case whose name is the input.
pub const IOCTL_FINISH: u32 =
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS);

/// A case.
pub struct Case {
    /// The kind of fault.
    name: &'static [u8],
    /// Begins it for a request. STATUS_PENDING: the case completes the request itself.
    begin: unsafe fn(*mut IRP) -> NTSTATUS,
    /// Ends it.
    finish: unsafe fn() -> NTSTATUS,
    /// Takes a received frame; how often its packet will be returned.
    receive: unsafe fn(&protocol::Frame<'_>) -> i32,
}

impl Case {
    /// A case that is over when it has begun.
    const fn new(name: &'static [u8], begin: unsafe fn(*mut IRP) -> NTSTATUS) -> Case {
        unsafe fn nothing() -> NTSTATUS {
            STATUS_SUCCESS
        }
        unsafe fn not_taken(_: &protocol::Frame<'_>) -> i32 {
            0
        }
        Case {
            name,
            begin,
            finish: nothing,
            receive: not_taken,
        }
    }

    /// A case of the network.
    const fn net(
        name: &'static [u8],
        receive: unsafe fn(&protocol::Frame<'_>) -> i32,
        finish: unsafe fn() -> NTSTATUS,
    ) -> Case {
        unsafe fn listen(_: *mut IRP) -> NTSTATUS {
            STATUS_SUCCESS
        }
        Case {
            name,
            begin: listen,
            finish,
            receive,
        }
    }
}

static CASES: [Case; 31] = [
    irql_raise::CASE,
    irql_leave::CASE,
    interrupt::CASE,
    ipi_late::CASE,
    page_out::CASE,
    pool_fail::CASE,
    pool_fill::CASE,
    timer_early::CASE,
    timer_late::CASE,
    timer_storm::CASE,
    dpc_delay::CASE,
    dpc_move::CASE,
    dpc_twice::CASE,
    stall::CASE,
    clock_jump::CASE,
    io_cancel::CASE,
    io_pend::CASE,
    io_elsewhere::CASE,
    io_remove::CASE,
    io_unload::CASE,
    net_drop::CASE,
    net_duplicate::CASE,
    net_reorder::CASE,
    net_delay::CASE,
    net_truncate::CASE,
    net_corrupt::CASE,
    net_split::CASE,
    net_overlap::CASE,
    net_coalesce::CASE,
    net_burst::CASE,
    net_no_buffers::CASE,
];

/// Creates the devices and binds the adapter.
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
        let status = start::allocate();
        if !NT_SUCCESS(status) {
            return status;
        }
        let status = create(driver);
        if !NT_SUCCESS(status) {
            clean_up(driver);
        }
        status
    }
}

/// Creates the devices and binds the adapter.
unsafe fn create(driver: *mut DRIVER_OBJECT) -> NTSTATUS {
    unsafe {
        let mut device = null_mut();
        let name = unicode(wide!("\\Device\\Faults"));
        let status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, 0, &mut device);
        if !NT_SUCCESS(status) {
            return status;
        }
        let functions = &mut (*driver).MajorFunction;
        for function in [IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE] {
            functions[usize::from(function)] = Some(create_close);
        }
        functions[usize::from(IRP_MJ_DEVICE_CONTROL)] = Some(control);
        functions[usize::from(IRP_MJ_INTERNAL_DEVICE_CONTROL)] = Some(lower::control);
        functions[usize::from(io_remove::IRP_MJ_PNP)] = Some(io_remove::plug_and_play);
        (*driver).DriverUnload = Some(unload);
        let status = lower::create(driver);
        if NT_SUCCESS(status) {
            protocol::register()
        } else {
            status
        }
    }
}

unsafe extern "system" fn unload(driver: *const DRIVER_OBJECT) {
    unsafe {
        io_unload::unload();
        protocol::deregister();
        clean_up(driver);
    }
}

/// Takes back what the start has made, as far as it came.
unsafe fn clean_up(driver: *const DRIVER_OBJECT) {
    unsafe {
        start::free();
        while !(*driver).DeviceObject.is_null() {
            IoDeleteDevice((*driver).DeviceObject);
        }
    }
}

unsafe extern "system" fn create_close(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe { complete(irp, STATUS_SUCCESS, 0) }
}

unsafe extern "system" fn control(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let request = device_control(irp);
        let length = request.InputBufferLength.0 as usize;
        let name = match length {
            0 => &[],
            _ => core::slice::from_raw_parts(system_buffer(irp).cast::<u8>(), length),
        };
        let case = CASES.iter().find(|case| case.name == name);
        let status = match (case, request.IoControlCode.0) {
            (Some(case), IOCTL_BEGIN) => {
                protocol::listen(case);
                (case.begin)(irp)
            }
            (Some(case), IOCTL_FINISH) => (case.finish)(),
            (None, _) => STATUS_INVALID_PARAMETER,
            _ => STATUS_INVALID_DEVICE_REQUEST,
        };
        if status != STATUS_PENDING {
            complete(irp, status, 0);
        }
        status
    }
}
