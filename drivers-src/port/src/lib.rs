//! **port.sys**: one thread creates a port, links it into the list of ports under the list's lock,
//! and writes its type after it has released the lock. Another thread takes a port from the list
//! and frees it. When it does so in between, the type is written to freed memory: Stop 0x50. The
//! correct driver writes the type before it lets the port be seen.
//!
//! A port is larger than a page, so its pages leave the pool with it. After the defect of
//! CVE-2017-15265 in the ALSA sequencer of Linux; the source is new.

#![cfg_attr(windows, no_std)]

use core::ptr::null_mut;

use nt::ex;
use nt::types::{NTSTATUS, tag};
use shape::{Shape, Shared, SpinLock, Threads};

const TAG: u32 = tag(b"Port");
const PORT_TYPE: u32 = 2;

#[repr(C)]
struct Port {
    next: *mut Port,
    kind: u32,
    events: [u8; 4096],
}

struct Ports {
    lock: SpinLock,
    first: Shared<*mut Port>,
}

extern "system" fn create(ports: &Ports) {
    unsafe {
        let port = ex::allocate_bytes(size_of::<Port>(), TAG).cast::<Port>();
        if port.is_null() {
            return;
        }
        let old = ports.lock.acquire();
        #[cfg(not(feature = "buggy"))]
        (&raw mut (*port).kind).write_volatile(PORT_TYPE);
        (&raw mut (*port).next).write_volatile(ports.first.read());
        ports.first.write(port);
        ports.lock.release(old);
        #[cfg(feature = "buggy")]
        (&raw mut (*port).kind).write_volatile(PORT_TYPE);
    }
}

extern "system" fn delete(ports: &Ports) {
    unsafe {
        let old = ports.lock.acquire();
        let port = ports.first.read();
        if !port.is_null() {
            ports.first.write((&raw const (*port).next).read_volatile());
        }
        ports.lock.release(old);
        if !port.is_null() {
            ex::free(port);
        }
    }
}

impl Shape<0> for Ports {
    fn new() -> Self {
        Ports {
            lock: SpinLock::free(),
            first: Shared::new(null_mut()),
        }
    }

    fn run(&self, []: [u32; 0]) -> NTSTATUS {
        let mut threads = Threads::new();
        threads.start(create, self);
        threads.start(delete, self);
        let status = threads.join();
        // A port that was created too late to be deleted.
        delete(self);
        status
    }
}

shape::driver_entry!(Ports, 0, "\\Device\\Port");
