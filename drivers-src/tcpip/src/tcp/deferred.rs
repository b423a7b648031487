//! What is decided under a connection's lock and done after it is released.

use nt::io;
use nt::irp_queue::IrpQueue;
use nt::types::{IRP, NTSTATUS};

use super::segment::Scrap;
use crate::ip::output;
use crate::link::frame::{Frame, Outbox};
use crate::link::packet;

/// Segments to send, requests to complete, memory to free.
pub struct Deferred {
    outbox: Outbox,
    requests: IrpQueue,
    /// Received bytes that nobody needs.
    pub scrap: Scrap,
}

impl Deferred {
    /// Nothing to do.
    pub const NOTHING: Deferred = Deferred {
        outbox: Outbox::EMPTY,
        requests: IrpQueue::EMPTY,
        scrap: Scrap::NOTHING,
    };

    /// Sends a frame; null is none.
    pub unsafe fn send(&mut self, frame: *mut Frame) {
        if !frame.is_null() {
            unsafe { self.outbox.push(frame) }
        }
    }

    /// Completes a request; null is none.
    pub unsafe fn complete(&mut self, irp: *mut IRP, status: NTSTATUS, information: usize) {
        if irp.is_null() {
            return;
        }
        unsafe {
            (*irp).IoStatus.Anonymous.Status = status;
            (*irp).IoStatus.Information = information;
            self.requests.push(irp);
        }
    }

    /// Does it all. IRQL DISPATCH, no lock held.
    pub unsafe fn run(&mut self) {
        unsafe {
            output::send_all(&mut self.outbox);
            loop {
                let irp = self.requests.pop();
                if irp.is_null() {
                    break;
                }
                io::IofCompleteRequest(irp, io::IO_NETWORK_INCREMENT);
            }
            let scrap = core::mem::replace(&mut self.scrap, Scrap::NOTHING);
            packet::free(scrap.pieces);
            let mut segment = scrap.segments;
            while !segment.is_null() {
                let next = (*segment).next;
                nt::ex::free(segment);
                segment = next;
            }
        }
    }
}
