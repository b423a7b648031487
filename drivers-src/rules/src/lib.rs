//! **rules.sys**: for every rule of irqlab's verifier what breaks it and nothing else, and what
//! keeps it. A file here for each rule; the feature `broken` is the difference.
//!
//! The device is `\\Device\\Rules`. Its one control request, `0x800` (buffered, any access), has the
//! name of a rule as input, and breaks or keeps that rule. What concerns the end of a driver comes
//! when it is unloaded.

#![cfg_attr(windows, no_std)]
#![allow(non_snake_case)]

#[cfg(windows)]
mod act;
#[cfg(windows)]
mod cases;
#[cfg(windows)]
mod driver;
#[cfg(windows)]
mod irp_call_device;
#[cfg(windows)]
mod irp_call_irql;
#[cfg(windows)]
mod irp_call_type;
#[cfg(windows)]
mod irp_cancel_routine;
#[cfg(windows)]
mod irp_complete_irql;
#[cfg(windows)]
mod irp_complete_pending;
#[cfg(windows)]
mod irp_complete_twice;
#[cfg(windows)]
mod irp_forgotten;
#[cfg(windows)]
mod irp_free_type;
#[cfg(windows)]
mod irp_marked;
#[cfg(windows)]
mod irp_not_marked;
#[cfg(windows)]
mod irql_api;
#[cfg(windows)]
mod irql_completion_return;
#[cfg(windows)]
mod irql_dispatch_return;
#[cfg(windows)]
mod irql_dpc_return;
#[cfg(windows)]
mod irql_lower;
#[cfg(windows)]
mod irql_raise;
#[cfg(windows)]
mod irql_return;
#[cfg(windows)]
mod irql_set_event;
#[cfg(windows)]
mod irql_wait;
#[cfg(windows)]
mod irql_work_return;
#[cfg(windows)]
mod lock_acquire_irql;
#[cfg(windows)]
mod lock_dpc_acquire;
#[cfg(windows)]
mod lock_dpc_release;
#[cfg(windows)]
mod lock_held_return;
#[cfg(windows)]
mod lock_not_held;
#[cfg(windows)]
mod lock_order;
#[cfg(windows)]
mod lock_recursive;
#[cfg(windows)]
mod lock_release_irql;
#[cfg(windows)]
mod lock_thread_end;
#[cfg(windows)]
mod object_dpc_freed;
#[cfg(windows)]
mod object_timer_freed;
#[cfg(windows)]
mod object_unload;
#[cfg(windows)]
mod object_work_freed;
#[cfg(windows)]
mod object_work_queued;
#[cfg(windows)]
mod page_code;
#[cfg(windows)]
mod page_data;
#[cfg(windows)]
mod pool_double_free;
#[cfg(windows)]
mod pool_free_nonpaged_irql;
#[cfg(windows)]
mod pool_free_paged_irql;
#[cfg(windows)]
mod pool_leak;
#[cfg(windows)]
mod pool_nonpaged_irql;
#[cfg(windows)]
mod pool_not_allocated;
#[cfg(windows)]
mod pool_overrun;
#[cfg(windows)]
mod pool_paged_irql;
#[cfg(windows)]
mod pool_tag;
#[cfg(windows)]
mod pool_zero;
#[cfg(windows)]
mod time_dpc;
#[cfg(windows)]
mod time_lock;
