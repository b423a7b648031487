//! Requests in line: first in, first out, linked through the requests themselves.

use core::ptr::null_mut;

use crate::types::*;

/// A line of IRPs that the driver owns: pending, or about to be completed.
#[repr(C)]
pub struct IrpQueue {
    first: *mut IRP,
    last: *mut IRP,
}

impl IrpQueue {
    /// No request.
    pub const EMPTY: IrpQueue = IrpQueue {
        first: null_mut(),
        last: null_mut(),
    };

    /// Whether there is no request.
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Puts a request at the end.
    pub unsafe fn push(&mut self, irp: *mut IRP) {
        unsafe {
            *link(irp) = null_mut();
            if self.first.is_null() {
                self.first = irp;
            } else {
                *link(self.last) = irp;
            }
        }
        self.last = irp;
    }

    /// Takes the first request; null if there is none.
    pub unsafe fn pop(&mut self) -> *mut IRP {
        let irp = self.first;
        if !irp.is_null() {
            self.first = unsafe { *link(irp) };
        }
        irp
    }

    /// Takes a certain request out; whether it was there.
    pub unsafe fn remove(&mut self, irp: *mut IRP) -> bool {
        let (mut previous, mut at) = (null_mut(), self.first);
        unsafe {
            while !at.is_null() && at != irp {
                previous = at;
                at = *link(at);
            }
            if at.is_null() {
                return false;
            }
            if previous.is_null() {
                self.first = *link(irp);
            } else {
                *link(previous) = *link(irp);
            }
            if self.last == irp {
                self.last = previous;
            }
        }
        true
    }
}

/// The request's list entry belongs to the driver that has it; its first pointer is the link.
unsafe fn link(irp: *mut IRP) -> *mut *mut IRP {
    unsafe { (&raw mut (*irp).Tail.Overlay.Anonymous2.ListEntry.Flink).cast() }
}
