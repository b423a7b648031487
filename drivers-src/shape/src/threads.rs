//! The threads of a shape other than M.

use core::ffi::c_void;
use core::mem::{MaybeUninit, transmute};
use core::ptr::{null, null_mut};

use nt::ke::{Executive, KeWaitForMultipleObjects, WaitAll, wait};
use nt::ps::*;
use nt::status::{NT_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::{KSTART_ROUTINE, KernelMode, NTSTATUS};
use nt::zw::ZwClose;

/// The most threads that M can create: irqlab has kernel stacks for 64, its own among them.
const MOST: usize = 60;

/// Threads that were created and are to be waited for. They use the state of the shape, so M does
/// not complete its request before.
///
/// Everything here is inlined, so that this lies in M's own stack frame and is addressed from
/// there: what M keeps for itself is no access that another thread could see.
pub struct Threads {
    objects: [MaybeUninit<*mut c_void>; MOST],
    count: usize,
    /// The first failure, after which no thread is created.
    status: NTSTATUS,
}

impl Threads {
    /// None so far.
    #[expect(clippy::new_without_default)]
    pub fn new() -> Self {
        Threads {
            objects: [const { MaybeUninit::uninit() }; MOST],
            count: 0,
            status: STATUS_SUCCESS,
        }
    }

    /// Creates a system thread that runs `routine` and ends when that returns. IRQL PASSIVE.
    #[inline(always)]
    pub fn start<S>(&mut self, routine: extern "system" fn(&S), state: &S) {
        let Some(object) = self.objects.get_mut(self.count) else {
            self.status = STATUS_INSUFFICIENT_RESOURCES;
            return;
        };
        if NT_SUCCESS(self.status) {
            // A reference is passed as a pointer is.
            let routine = unsafe { transmute::<extern "system" fn(&S), KSTART_ROUTINE>(routine) };
            let thread = unsafe { create(routine, (&raw const *state).cast_mut().cast()) };
            if thread.is_null() {
                self.status = STATUS_INSUFFICIENT_RESOURCES;
            } else {
                object.write(thread);
                self.count += 1;
            }
        }
    }

    /// Waits for each in the order in which they were created. Fails if one was not created.
    /// IRQL PASSIVE.
    #[inline(always)]
    pub fn join(&self) -> NTSTATUS {
        for object in self.objects.iter().take(self.count) {
            unsafe { wait(object.assume_init().cast()) };
        }
        self.dereference()
    }

    /// Waits once until all have ended. Fails if one was not created. IRQL PASSIVE.
    ///
    /// For three threads at most: more need memory for their wait blocks.
    #[inline(always)]
    pub fn join_at_once(&self) -> NTSTATUS {
        let objects = self.objects.as_ptr().cast();
        let count = self.count as u32;
        if count > 0 {
            let (none, no_blocks) = (null(), null_mut());
            unsafe {
                KeWaitForMultipleObjects(
                    count, objects, WaitAll, Executive, KernelMode, 0, none, no_blocks,
                )
            };
        }
        self.dereference()
    }

    #[inline(always)]
    fn dereference(&self) -> NTSTATUS {
        for object in self.objects.iter().take(self.count) {
            unsafe { ObfDereferenceObject(object.assume_init()) };
        }
        self.status
    }
}

/// Creates a thread; a referenced pointer to it, or null.
#[inline(never)]
unsafe fn create(routine: KSTART_ROUTINE, context: *mut c_void) -> *mut c_void {
    let (mut handle, mut thread) = (null_mut(), null_mut());
    let none = null_mut();
    unsafe {
        let access = THREAD_ALL_ACCESS;
        let status =
            PsCreateSystemThread(&mut handle, access, null(), none, none, routine, context);
        if NT_SUCCESS(status) {
            // Not refused, because the handle has all rights; if it were, this stays null.
            ObReferenceObjectByHandle(handle, SYNCHRONIZE, none, KernelMode, &mut thread, none);
            ZwClose(handle);
        }
    }
    thread
}
