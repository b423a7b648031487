//! The device of a shape, and thread M.

use core::ptr::null_mut;

use nt::device_control::device_control;
use nt::io::*;
use nt::rtl::unicode;
use nt::status::*;
use nt::types::{DEVICE_OBJECT, DRIVER_OBJECT, IRP, NTSTATUS};

/// Runs the shape once. Input: its parameters, a `u32` each.
pub const IOCTL_RUN_SHAPE: u32 =
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS);

/// A shape with `P` parameters. A value is its state, which all of its threads share.
pub trait Shape<const P: usize>: Sized {
    /// The state at the beginning of a run.
    fn new() -> Self;

    /// Thread M. It creates the others and waits for them. IRQL PASSIVE.
    fn run(&self, parameters: [u32; P]) -> NTSTATUS;
}

/// Creates the device of a shape. Called by `DriverEntry`.
///
/// # Safety
/// `driver` is what the kernel gave to `DriverEntry`.
#[inline(always)]
pub unsafe fn load<S: Shape<P>, const P: usize>(
    driver: *mut DRIVER_OBJECT,
    name: &'static [u16],
) -> NTSTATUS {
    unsafe {
        let mut device = null_mut();
        let name = unicode(name);
        let size = size_of::<S>() as u32;
        // Exclusive: there is one state, so there is one user at a time.
        let status = IoCreateDevice(driver, size, &name, FILE_DEVICE_UNKNOWN, 0, 1, &mut device);
        if NT_SUCCESS(status) {
            let functions = &mut (*driver).MajorFunction;
            for function in [IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE] {
                functions[usize::from(function)] = Some(create_close);
            }
            functions[usize::from(IRP_MJ_DEVICE_CONTROL)] = Some(control::<S, P>);
            (*driver).DriverUnload = Some(unload);
        }
        status
    }
}

unsafe extern "system" fn unload(driver: *const DRIVER_OBJECT) {
    unsafe { IoDeleteDevice((*driver).DeviceObject) };
}

unsafe extern "system" fn create_close(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe { complete(irp, STATUS_SUCCESS, 0) }
}

/// `IRP_MJ_DEVICE_CONTROL`: the caller becomes thread M.
unsafe extern "system" fn control<S: Shape<P>, const P: usize>(
    device: *const DEVICE_OBJECT,
    irp: *mut IRP,
) -> NTSTATUS {
    unsafe {
        let request = device_control(irp);
        let status = if request.IoControlCode.0 != IOCTL_RUN_SHAPE {
            STATUS_INVALID_DEVICE_REQUEST
        } else if request.InputBufferLength.0 as usize != size_of::<[u32; P]>() {
            STATUS_INVALID_PARAMETER
        } else {
            let parameters = match P {
                0 => [0; P],
                _ => system_buffer(irp).cast::<[u32; P]>().read_unaligned(),
            };
            let state = (*device).DeviceExtension.cast::<S>();
            state.write(S::new());
            (*state).run(parameters)
        };
        complete(irp, status, 0)
    }
}
