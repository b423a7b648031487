//! What the rules share: where code runs, and requests of the driver to itself.

use core::hint::black_box;
use core::mem::zeroed;
use core::ptr::null_mut;

use nt::ex::{DelayedWorkQueue, ExQueueWorkItem, WORK_QUEUE_ITEM, allocate_zeroed, free};
use nt::io::*;
use nt::irql::{KeLowerIrql, KeRaiseIrql};
use nt::ke::*;
use nt::ps::*;
use nt::status::*;
use nt::types::*;
use nt::zw::ZwClose;

/// Whether the rule is to be broken.
pub(crate) const BROKEN: bool = cfg!(feature = "broken");
/// The tag of the driver's pool.
pub(crate) const TAG: u32 = tag(b"Rule");
/// An IRQL of a device on every architecture.
pub(crate) const DEVICE_LEVEL: KIRQL = 3;

/// Ends a request well.
pub(crate) unsafe fn done(irp: *mut IRP) -> NTSTATUS {
    unsafe { complete(irp, STATUS_SUCCESS, 0) }
}

/// Executes so many instructions at least.
#[inline(never)]
pub(crate) fn spend(instructions: u32) {
    for i in 0..instructions {
        black_box(i);
    }
}

/// A completion routine that leaves the IRP to its sender.
pub(crate) unsafe extern "system" fn keep(
    _: *mut DEVICE_OBJECT,
    _: *mut IRP,
    _: *mut c_void,
) -> NTSTATUS {
    STATUS_MORE_PROCESSING_REQUIRED
}

/// Sends an IRP of the driver's own to a device of its own, which completes it at once. `routine`
/// leaves it to its sender.
pub(crate) unsafe fn send(device: *const DEVICE_OBJECT, routine: IO_COMPLETION_ROUTINE) {
    unsafe { send_by(routine, |irp| IofCallDriver(device.cast_mut(), irp)) };
}

/// The same, sent at this IRQL.
pub(crate) unsafe fn send_at(level: KIRQL, device: *const DEVICE_OBJECT) {
    unsafe {
        send_by(keep, |irp| {
            let old = KeRaiseIrql(level);
            let status = IofCallDriver(device.cast_mut(), irp);
            KeLowerIrql(old);
            status
        });
    }
}

unsafe fn send_by(routine: IO_COMPLETION_ROUTINE, call: impl FnOnce(*mut IRP) -> NTSTATUS) {
    unsafe {
        let irp = IoAllocateIrp(1, 0);
        if irp.is_null() {
            return;
        }
        (*next_stack(irp)).MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
        set_completion_routine(irp, routine, null_mut());
        call(irp);
        IoFreeIrp(irp);
    }
}

/// Work for elsewhere, and the news that it is done.
struct Job {
    work: unsafe fn(),
    done: KEVENT,
    dpc: KDPC,
    item: WORK_QUEUE_ITEM,
}

/// Hands work to elsewhere by `queue` and waits until it is done. IRQL PASSIVE.
unsafe fn hand_over(work: unsafe fn(), queue: unsafe fn(*mut Job)) {
    unsafe {
        let job = allocate_zeroed::<Job>(TAG);
        if job.is_null() {
            return;
        }
        (*job).work = work;
        KeInitializeEvent(&raw mut (*job).done, NotificationEvent, 0);
        queue(job);
        wait(&raw mut (*job).done);
        free(job);
    }
}

/// Signals before it works: the work may leave the IRQL where nothing can be signalled. The
/// waiter goes on only after the work, which is done at DISPATCH_LEVEL, or on a core of its own.
unsafe extern "system" fn dpc_routine(
    _: *mut KDPC,
    job: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
    unsafe {
        let work = (*job.cast::<Job>()).work;
        KeSetEvent(&raw mut (*job.cast::<Job>()).done, 0, 0);
        work();
    }
}

unsafe fn queue_dpc(job: *mut Job) {
    unsafe {
        KeInitializeDpc(&raw mut (*job).dpc, dpc_routine, job.cast());
        KeInsertQueueDpc(&raw mut (*job).dpc, null_mut(), null_mut());
    }
}

/// Does work in a DPC, and waits until the DPC has begun. IRQL PASSIVE.
pub(crate) unsafe fn in_dpc(work: unsafe fn()) {
    unsafe { hand_over(work, queue_dpc) };
}

unsafe extern "system" fn item_routine(job: *mut c_void) {
    unsafe {
        let work = (*job.cast::<Job>()).work;
        KeSetEvent(&raw mut (*job.cast::<Job>()).done, 0, 0);
        work();
    }
}

unsafe fn queue_item(job: *mut Job) {
    unsafe {
        (*job).item = WORK_QUEUE_ITEM::new(item_routine, job.cast());
        ExQueueWorkItem(&raw mut (*job).item, DelayedWorkQueue);
    }
}

/// Does work in a work item, and waits until its routine has begun. IRQL PASSIVE.
pub(crate) unsafe fn in_work_item(work: unsafe fn()) {
    unsafe { hand_over(work, queue_item) };
}

/// Runs a thread and waits for its end. IRQL PASSIVE.
pub(crate) unsafe fn in_thread(routine: KSTART_ROUTINE, context: *mut c_void) {
    unsafe {
        let (mut handle, mut object) = (zeroed(), null_mut());
        let (none, no_id) = (core::ptr::null(), null_mut());
        let access = THREAD_ALL_ACCESS;
        let process = zeroed();
        let status =
            PsCreateSystemThread(&mut handle, access, none, process, no_id, routine, context);
        if !NT_SUCCESS(status) {
            return;
        }
        let mode = KernelMode;
        let (any, no_info) = (null_mut(), null_mut());
        let status =
            ObReferenceObjectByHandle(handle, SYNCHRONIZE, any, mode, &mut object, no_info);
        if NT_SUCCESS(status) {
            wait(object.cast());
            ObfDereferenceObject(object);
        }
        ZwClose(handle);
    }
}
