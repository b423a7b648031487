//! `io.remove`: a request uses what belongs to the hardware, and the driver frees that as soon as it
//! hears that the hardware is gone. The correct one waits until nobody has the device open.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*};

use nt::io::*;
use nt::status::*;
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"io.remove", begin);

/// `IRP_MJ_PNP` and its minor functions.
pub const IRP_MJ_PNP: u8 = 0x1B;
const IRP_MN_REMOVE_DEVICE: u8 = 0x02;
const IRP_MN_SURPRISE_REMOVAL: u8 = 0x17;

static HARDWARE: AtomicPtr<u8> = AtomicPtr::new(null_mut());

/// `IRP_MJ_PNP`
pub unsafe extern "system" fn plug_and_play(_: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let frees = match (*current_stack(irp)).MinorFunction {
            IRP_MN_SURPRISE_REMOVAL => cfg!(feature = "buggy"),
            IRP_MN_REMOVE_DEVICE => true,
            _ => return complete(irp, (*irp).IoStatus.Anonymous.Status, 0),
        };
        if frees {
            tools::free(HARDWARE.swap(null_mut(), AcqRel));
        }
        complete(irp, STATUS_SUCCESS, 0)
    }
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let hardware = tools::page();
        if hardware.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        HARDWARE.store(hardware, Release);
        tools::sleep(10);
        hardware.write_volatile(1);
    }
    STATUS_SUCCESS
}
