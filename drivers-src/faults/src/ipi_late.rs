//! `irql.ipi_late`: the driver gives another processor a DPC and a millisecond to run it, which is
//! nearly always enough. The correct driver waits until it has run.

use nt::ke::*;
use nt::types::*;

use crate::{Case, answer, tools};

pub const CASE: Case = Case::new(b"irql.ipi_late", begin);

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    let there = |dpc| unsafe {
        KeSetTargetProcessorDpc(dpc, 1);
        KeSetImportanceDpc(dpc, HighImportance);
    };
    unsafe { answer::used(there, || tools::sleep(1)) }
}
