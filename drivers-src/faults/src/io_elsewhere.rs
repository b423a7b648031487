//! `io.elsewhere`: the context of a completion routine is freed when the request has been sent; the
//! device below completes everything before it returns. The correct driver waits for the routine.

use nt::io::*;
use nt::ke::*;
use nt::status::*;
use nt::types::*;

use crate::{Case, lower, tools};

pub const CASE: Case = Case::new(b"io.elsewhere", begin);

/// In a block with pages of its own.
struct Context {
    done: KEVENT,
}

unsafe extern "system" fn completed(
    _: *mut DEVICE_OBJECT,
    irp: *mut IRP,
    context: *mut c_void,
) -> NTSTATUS {
    unsafe {
        IoFreeIrp(irp);
        KeSetEvent(&raw mut (*context.cast::<Context>()).done, 0, 0);
    }
    STATUS_MORE_PROCESSING_REQUIRED
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let context = tools::page().cast::<Context>();
        let irp = IoAllocateIrp((*lower::device()).StackSize, 0);
        if context.is_null() || irp.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        KeInitializeEvent(&raw mut (*context).done, NotificationEvent, 0);
        (*next_stack(irp)).MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
        set_completion_routine(irp, completed, context.cast());
        IofCallDriver(lower::device(), irp);
        #[cfg(not(feature = "buggy"))]
        wait(&raw mut (*context).done);
        tools::free(context.cast());
        // Where what is too late shows.
        tools::sleep(10);
    }
    STATUS_SUCCESS
}
