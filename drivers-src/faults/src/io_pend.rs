//! `io.pend`: a request to the device below is answered at once, nearly always, and its answer used
//! at once. The correct driver waits if the request is pending.

use core::mem::zeroed;
use core::ptr::null_mut;

use nt::io::*;
use nt::ke::*;
use nt::status::*;
use nt::types::*;

use crate::{Case, lower};

pub const CASE: Case = Case::new(b"io.pend", begin);

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let mut event: KEVENT = zeroed();
        let mut result: IO_STATUS_BLOCK = zeroed();
        let mut answer = 0u32;
        KeInitializeEvent(&mut event, NotificationEvent, 0);
        let irp = IoBuildDeviceIoControlRequest(
            lower::IOCTL_ANSWER,
            lower::device(),
            null_mut(),
            0,
            (&raw mut answer).cast(),
            4,
            1,
            &mut event,
            &mut result,
        );
        if irp.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        let status = IofCallDriver(lower::device(), irp);
        #[cfg(not(feature = "buggy"))]
        if status == STATUS_PENDING {
            wait(&mut event);
        }
        if !NT_SUCCESS(status) {
            return status;
        }
        let answer = (&raw const answer).read_volatile();
        let share = 100 / answer;
        if share == 25 {
            STATUS_SUCCESS
        } else {
            STATUS_UNSUCCESSFUL
        }
    }
}
