//! What the drivers of small concurrency shapes share.
//!
//! A shape is a handful of threads with a defect in how they interleave. Its driver has a device,
//! `\Device\<Shape>`, and one control request, [`IOCTL_RUN_SHAPE`]: the thread that sends it is
//! thread M of the shape. It resets the state, which is the device's extension, creates the other
//! threads, waits for them, and completes the request.
//!
//! The schedules of a shape are counted, so its threads do what their text says and nothing else:
//! each [`Shared`] access is one load or store that the compiler neither drops nor merges, each
//! lock operation is one call of the kernel, and a thread ends by returning from its routine.

#![cfg_attr(windows, no_std)]
#![allow(non_snake_case)]

mod device;
mod shared;
mod threads;

pub use device::{IOCTL_RUN_SHAPE, Shape, load};
pub use shared::{Shared, SpinLock};
pub use threads::Threads;

use nt::ke::{KeBugCheckEx, MANUALLY_INITIATED_CRASH};

/// An assertion of the shape does not hold: stops the system with the assertion's number and the
/// values seen.
#[inline(always)]
pub fn fail(assertion: usize, [one, two, three]: [i32; 3]) -> ! {
    let [one, two, three] = [one as usize, two as usize, three as usize];
    unsafe { KeBugCheckEx(MANUALLY_INITIATED_CRASH, assertion, one, two, three) }
}

/// A driver's `DriverEntry`: creates the device of its shape. Given the shape, how many parameters it
/// takes, and the device's name.
#[macro_export]
macro_rules! driver_entry {
    ($shape:ty, $parameters:literal, $device:literal) => {
        /// Creates the shape's device.
        ///
        /// # Safety
        /// Called by the kernel, once.
        #[unsafe(no_mangle)]
        #[unsafe(link_section = "INIT")]
        pub unsafe extern "system" fn DriverEntry(
            driver: *mut nt::types::DRIVER_OBJECT,
            _registry_path: *const nt::types::UNICODE_STRING,
        ) -> nt::types::NTSTATUS {
            unsafe { $crate::load::<$shape, $parameters>(driver, nt::wide!($device)) }
        }
    };
}
