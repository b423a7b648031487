//! The rules, each with the routine that breaks or keeps it.

use nt::types::{DEVICE_OBJECT, IRP, NTSTATUS};

use crate::*;

/// Gets the request, and completes it.
pub(crate) type Case = unsafe fn(*const DEVICE_OBJECT, *mut IRP) -> NTSTATUS;

/// Every rule, by name.
pub(crate) static CASES: &[(&str, Case)] = &[
    ("irql-api", irql_api::run),
    ("irql-raise", irql_raise::run),
    ("irql-lower", irql_lower::run),
    ("irql-wait", irql_wait::run),
    ("irql-set-event", irql_set_event::run),
    ("irql-dispatch-return", irql_dispatch_return::run),
    ("irql-completion-return", irql_completion_return::run),
    ("irql-dpc-return", irql_dpc_return::run),
    ("irql-work-return", irql_work_return::run),
    ("irql-return", irql_return::run),
    ("lock-acquire-irql", lock_acquire_irql::run),
    ("lock-release-irql", lock_release_irql::run),
    ("lock-dpc-acquire", lock_dpc_acquire::run),
    ("lock-dpc-release", lock_dpc_release::run),
    ("lock-recursive", lock_recursive::run),
    ("lock-order", lock_order::run),
    ("lock-not-held", lock_not_held::run),
    ("lock-held-return", lock_held_return::run),
    ("lock-thread-end", lock_thread_end::run),
    ("pool-zero", pool_zero::run),
    ("pool-paged-irql", pool_paged_irql::run),
    ("pool-nonpaged-irql", pool_nonpaged_irql::run),
    ("pool-free-paged-irql", pool_free_paged_irql::run),
    ("pool-free-nonpaged-irql", pool_free_nonpaged_irql::run),
    ("pool-not-allocated", pool_not_allocated::run),
    ("pool-double-free", pool_double_free::run),
    ("pool-tag", pool_tag::run),
    ("pool-overrun", pool_overrun::run),
    ("pool-leak", pool_leak::run),
    ("object-timer-freed", object_timer_freed::run),
    ("object-dpc-freed", object_dpc_freed::run),
    ("object-work-freed", object_work_freed::run),
    ("object-work-queued", object_work_queued::run),
    ("object-unload", object_unload::run),
    ("irp-complete-irql", irp_complete_irql::run),
    ("irp-complete-pending", irp_complete_pending::run),
    ("irp-complete-twice", irp_complete_twice::run),
    ("irp-cancel-routine", irp_cancel_routine::run),
    ("irp-not-marked", irp_not_marked::run),
    ("irp-marked", irp_marked::run),
    ("irp-forgotten", irp_forgotten::run),
    ("irp-call-irql", irp_call_irql::run),
    ("irp-call-type", irp_call_type::run),
    ("irp-call-device", irp_call_device::run),
    ("irp-free-type", irp_free_type::run),
    ("page-code", page_code::run),
    ("page-data", page_data::run),
    ("time-dpc", time_dpc::run),
    ("time-lock", time_lock::run),
];

/// Called when the driver is unloaded.
pub(crate) unsafe fn unload() {
    unsafe {
        object_unload::unload();
        pool_leak::unload();
    }
}
