//! `time.dpc_move`: a DPC interrupts whoever queues it, and so has run when the call returns, as long
//! as it is this processor that runs it. The correct driver waits until it has.

use nt::types::*;

use crate::{Case, answer};

pub const CASE: Case = Case::new(b"time.dpc_move", begin);

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe { answer::used(|_| {}, || {}) }
}
