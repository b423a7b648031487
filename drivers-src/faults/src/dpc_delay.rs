//! `time.dpc_delay`: a DPC that is queued below DISPATCH_LEVEL has run when the call returns, nearly
//! always. The correct driver waits until it has.

use nt::types::*;

use crate::{Case, answer};

pub const CASE: Case = Case::new(b"time.dpc_delay", begin);

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe { answer::used(|_| {}, || {}) }
}
