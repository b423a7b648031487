//! The threads of a shape other than M.

use core::ffi::c_void;
use core::mem::{MaybeUninit, transmute};
use core::ptr::{null, null_mut};

use nt::ke::{Executive, KeWaitForMultipleObjects, WaitAll, wait};
use nt::ps::*;
use nt::status::{NT_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use nt::types::{KSTART_ROUTINE, KernelMode, NTSTATUS};
use nt::zw::ZwClose;

/// The most threads that M can create.
const MOST: usize = 60;

/// Threads that were created and are to be waited for. They use the state of the shape, so M does
/// not complete its request before.
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
    pub fn start<S>(&mut self, routine: extern "system" fn(&S), state: &S) {
        if NT_SUCCESS(self.status) {
            // A reference is passed as a pointer is.
            let routine = unsafe { transmute::<extern "system" fn(&S), KSTART_ROUTINE>(routine) };
            self.status = unsafe { self.create(routine, (&raw const *state).cast_mut().cast()) };
        }
    }

    unsafe fn create(&mut self, routine: KSTART_ROUTINE, context: *mut c_void) -> NTSTATUS {
        let Some(object) = self.objects.get_mut(self.count) else {
            return STATUS_INSUFFICIENT_RESOURCES;
        };
        let mut handle = null_mut();
        unsafe {
            let status = PsCreateSystemThread(
                &mut handle,
                THREAD_ALL_ACCESS,
                null(),
                null_mut(),
                null_mut(),
                routine,
                context,
            );
            if !NT_SUCCESS(status) {
                return status;
            }
            let status = ObReferenceObjectByHandle(
                handle,
                SYNCHRONIZE,
                null_mut(),
                KernelMode,
                object.as_mut_ptr(),
                null_mut(),
            );
            ZwClose(handle);
            // A reference to a thread by a handle with all rights is not refused.
            self.count += usize::from(NT_SUCCESS(status));
            status
        }
    }

    /// Waits for each in the order in which they were created. Fails if one was not created.
    /// IRQL PASSIVE.
    pub fn join(&self) -> NTSTATUS {
        for object in &self.objects[..self.count] {
            unsafe { wait(object.assume_init().cast()) };
        }
        self.dereference()
    }

    /// Waits once until all have ended. Fails if one was not created. IRQL PASSIVE.
    ///
    /// For three threads at most: more need memory for their wait blocks.
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

    fn dereference(&self) -> NTSTATUS {
        for object in &self.objects[..self.count] {
            unsafe { ObfDereferenceObject(object.assume_init()) };
        }
        self.status
    }
}
