//! **bluetooth.sys**: a request begins while its device is being stopped. Requests that use the
//! device are counted, and who stops it releases its resources once the count is 0. The request
//! looks at the flag that says "stopping" and then counts itself; when the device is stopped
//! between the two, it uses what has been released. The correct driver counts first, looks then,
//! and takes the count back if it was too late; and who stops waits for the last request. Its flag is
//! read and written atomically: a request may look at it while it is being set, and either answer
//! will do.
//!
//! Parameter: 1 makes the resources a page of nonpaged pool, so that it is not an assertion that
//! fails but the read of freed memory: Stop 0x50.
//!
//! After the driver in Qadeer and Wu, "KISS: Keep It Simple and Sequential", PLDI 2004.

#![cfg_attr(windows, no_std)]

use core::ptr::null_mut;

use nt::ex;
#[cfg(not(feature = "buggy"))]
use nt::ke::{KeInitializeEvent, KeSetEvent, NotificationEvent, wait};
use nt::types::{NTSTATUS, tag};
use shape::{Shape, Shared, Threads, fail};

const TAG: u32 = tag(b"BtRs");
const PAGE: usize = 4096;

struct Bluetooth {
    pending_io: Shared<i32>,
    stopping_flag: Shared<u32>,
    #[cfg(feature = "buggy")]
    stopping_event: Shared<u32>,
    #[cfg(not(feature = "buggy"))]
    stopping_event: core::cell::UnsafeCell<nt::types::KEVENT>,
    stopped: Shared<u32>,
    /// A page of pool, or null.
    resources: Shared<*mut u8>,
}

/// A request begins; false if the device is being stopped.
#[cfg(feature = "buggy")]
#[inline(always)]
fn io_increment(device: &Bluetooth) -> bool {
    if device.stopping_flag.read() != 0 {
        return false;
    }
    // Here is the window.
    device.pending_io.increment();
    true
}

/// A request begins; false if the device is being stopped.
#[cfg(not(feature = "buggy"))]
#[inline(always)]
fn io_increment(device: &Bluetooth) -> bool {
    device.pending_io.increment();
    if device.stopping_flag.read_acquire() != 0 {
        io_decrement(device);
        return false;
    }
    true
}

/// A request ends.
#[inline(always)]
fn io_decrement(device: &Bluetooth) {
    if device.pending_io.decrement() == 0 {
        #[cfg(feature = "buggy")]
        device.stopping_event.write(1);
        #[cfg(not(feature = "buggy"))]
        unsafe {
            KeSetEvent(device.stopping_event.get(), 0, 0);
        }
    }
}

/// Thread M makes a request. `block` is what the resources are, if they are a block of pool.
#[inline(always)]
fn add(device: &Bluetooth, block: *mut u8) {
    let begun = io_increment(device);
    if begun {
        if !block.is_null() {
            unsafe { block.read_volatile() };
        } else if device.stopped.read() != 0 {
            fail(1, [1, 0, 0]);
        }
    }
    // The driver with the defect ends also what has not begun.
    if begun || cfg!(feature = "buggy") {
        io_decrement(device);
    }
}

extern "system" fn stop<const POOL: bool>(device: &Bluetooth) {
    #[cfg(feature = "buggy")]
    device.stopping_flag.write(1);
    #[cfg(not(feature = "buggy"))]
    device.stopping_flag.write_release(1);
    io_decrement(device);
    #[cfg(feature = "buggy")]
    if device.stopping_event.read() == 0 {
        return;
    }
    #[cfg(not(feature = "buggy"))]
    unsafe {
        wait(device.stopping_event.get());
    }
    if POOL {
        release(device);
    }
    device.stopped.write(1);
}

/// Releases the resources, once.
#[inline(always)]
fn release(device: &Bluetooth) {
    let block = device.resources.read();
    if !block.is_null() {
        device.resources.write(null_mut());
        unsafe { ex::free(block) };
    }
}

impl Shape<1> for Bluetooth {
    fn new() -> Self {
        Bluetooth {
            pending_io: Shared::new(1),
            stopping_flag: Shared::new(0),
            #[cfg(feature = "buggy")]
            stopping_event: Shared::new(0),
            #[cfg(not(feature = "buggy"))]
            stopping_event: unsafe { core::mem::zeroed() },
            stopped: Shared::new(0),
            resources: Shared::new(null_mut()),
        }
    }

    fn run(&self, [pool]: [u32; 1]) -> NTSTATUS {
        #[cfg(not(feature = "buggy"))]
        unsafe {
            KeInitializeEvent(self.stopping_event.get(), NotificationEvent, 0);
        }
        let mut threads = Threads::new();
        if pool == 0 {
            threads.start(stop::<false>, self);
            add(self, null_mut());
        } else {
            let block = unsafe { ex::allocate_bytes(PAGE, TAG) };
            if block.is_null() {
                return nt::status::STATUS_INSUFFICIENT_RESOURCES;
            }
            self.resources.write(block);
            threads.start(stop::<true>, self);
            add(self, block);
        }
        let status = threads.join();
        release(self);
        status
    }
}

shape::driver_entry!(Bluetooth, 1, "\\Device\\Bluetooth");
