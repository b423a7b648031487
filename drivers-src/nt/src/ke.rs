//! Kernel: events, DPCs, timers, time, processors, the end.

use crate::types::*;

/// `NotificationEvent`: stays signalled until cleared.
pub const NotificationEvent: i32 = 0;
/// `SynchronizationEvent`: releases one waiter and clears itself.
pub const SynchronizationEvent: i32 = 1;
/// `Executive`, the wait reason of drivers.
pub const Executive: i32 = 0;

/// `HighImportance` of [`KeSetImportanceDpc`].
pub const HighImportance: i32 = 2;

/// `WaitAll` of [`KeWaitForMultipleObjects`].
pub const WaitAll: i32 = 0;

import! { "ntoskrnl.exe" "system"
    /// Stops the system.
    fn KeBugCheckEx(Code: u32, P1: usize, P2: usize, P3: usize, P4: usize) -> !;

    /// Sets up an event.
    fn KeInitializeEvent(Event: *mut KEVENT, Type: i32, State: u8);
    /// Signals an event; gives the previous state. IRQL <= DISPATCH if `Wait` is 0.
    fn KeSetEvent(Event: *mut KEVENT, Increment: i32, Wait: u8) -> i32;
    /// Clears an event.
    fn KeClearEvent(Event: *mut KEVENT);
    /// Waits for a dispatcher object, without limit if `Timeout` (100 ns, negative = relative) is
    /// null. IRQL <= APC.
    fn KeWaitForSingleObject(
        Object: *mut c_void, Reason: i32, Mode: KPROCESSOR_MODE, Alertable: u8, Timeout: *const i64,
    ) -> NTSTATUS;
    /// Waits for one (`WaitAny`) or all (`WaitAll`) of `Count` dispatcher objects. Up to 3 need no
    /// `WaitBlocks`. IRQL <= APC.
    fn KeWaitForMultipleObjects(
        Count: u32, Objects: *const *mut c_void, WaitType: i32, Reason: i32, Mode: KPROCESSOR_MODE,
        Alertable: u8, Timeout: *const i64, WaitBlocks: *mut c_void,
    ) -> NTSTATUS;
    /// Waits for an interval (100 ns, negative = relative). IRQL <= APC.
    fn KeDelayExecutionThread(Mode: KPROCESSOR_MODE, Alertable: u8, Interval: *const i64) -> NTSTATUS;

    /// Sets up a DPC.
    fn KeInitializeDpc(Dpc: *mut KDPC, Routine: KDEFERRED_ROUTINE, Context: *mut c_void);
    /// Queues a DPC to its target processor; 0 if it is queued already.
    fn KeInsertQueueDpc(Dpc: *mut KDPC, Argument1: *mut c_void, Argument2: *mut c_void) -> u8;
    /// Takes a DPC from its queue; 0 if it was in none.
    fn KeRemoveQueueDpc(Dpc: *mut KDPC) -> u8;

    /// Makes a DPC run on a certain processor, from 0.
    fn KeSetTargetProcessorDpc(Dpc: *mut KDPC, Number: i8);
    /// Says how soon a DPC is to run: [`HighImportance`] at once, also on another processor.
    fn KeSetImportanceDpc(Dpc: *mut KDPC, Importance: i32);

    /// Sets up a timer (notification type).
    fn KeInitializeTimer(Timer: *mut KTIMER);
    /// Sets a timer to a due time (100 ns, negative = relative); nonzero if it was set already.
    fn KeSetTimer(Timer: *mut KTIMER, DueTime: i64, Dpc: *mut KDPC) -> u8;
    /// Sets a timer that repeats every `Period` milliseconds after its due time.
    fn KeSetTimerEx(Timer: *mut KTIMER, DueTime: i64, Period: i32, Dpc: *mut KDPC) -> u8;
    /// Cancels a timer; nonzero if it was set. Its DPC may be queued or running all the same.
    fn KeCancelTimer(Timer: *mut KTIMER) -> u8;

    /// The time of day, in 100 ns since 1601.
    fn KeQuerySystemTime(CurrentTime: *mut i64);
    /// The number of clock interrupts since start.
    fn KeQueryTickCount(TickCount: *mut i64);
    /// The length of one tick in 100 ns.
    fn KeQueryTimeIncrement() -> u32;
}

import! { "ntoskrnl.exe" "C"
    /// Prints to the debugger.
    fn DbgPrint(Format: *const u8, ...) -> u32;
}

/// `MANUALLY_INITIATED_CRASH`, the stop of a driver whose own check fails.
pub const MANUALLY_INITIATED_CRASH: u32 = 0xE2;

/// Waits for an event without limit, as drivers do at `PASSIVE_LEVEL`.
pub unsafe fn wait(event: *mut KEVENT) -> NTSTATUS {
    unsafe { KeWaitForSingleObject(event.cast(), Executive, KernelMode, 0, core::ptr::null()) }
}

/// `KMUTANT`, a mutex: what is in it is the kernel's affair.
#[repr(C)]
pub struct KMUTANT {
    header: DISPATCHER_HEADER,
    list: LIST_ENTRY,
    owner: *mut c_void,
    flags: [u8; 4],
}

import! { "ntoskrnl.exe" "system"
    /// Sets up a mutex, which nobody owns.
    fn KeInitializeMutex(Mutex: *mut KMUTANT, Level: u32);
    /// Gives a mutex back that the thread owns. IRQL <= DISPATCH.
    fn KeReleaseMutex(Mutex: *mut KMUTANT, Wait: u8) -> i32;
}
