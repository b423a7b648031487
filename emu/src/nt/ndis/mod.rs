//! NDIS from the side of a protocol driver, and below it a virtual miniport for each adapter of
//! the plan.
//!
//! The miniport is a deserialised one with a receive queue for each core: a packet arrives with an
//! interrupt on the core that the schedule says, the interrupt service routine queues a DPC there,
//! and the DPC gives that core's frames to the bound protocols one by one. Packets of one core stay
//! in order; those of different cores are indicated at the same time, and given back on any core.
//!
//! After "Network Drivers" of the Windows NT 4.0 and Windows 2000 DDKs and their public `ndis.h`.
//! Not modelled: packets that stay pending in the miniport (a send is complete when the call
//! returns), resets, media that disconnect, and the loopback of broadcasts to their sender.

mod adapter;
mod buffer;
mod detour;
mod layout;
mod memory;
mod oid;
mod packet;
mod protocol;
mod receive;
mod request;
mod send;
mod status;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;

pub(crate) use adapter::{interrupt_level, pending_interrupt, receive};
pub(crate) use detour::{hold_up, join_held_up, let_go, next_of, put_back, would_interrupt};
pub(crate) use receive::deferred;
pub use stream::signal;
pub(crate) use stream::{
    arrive, arrived, ready_streams, start, stream_outstanding, waiting_streams,
};
pub use table::API;

use super::{Call, Done, Trouble, dpc};
use crate::machine::context::Outcome;
use crate::scenario::{Peer, Plan};

/// Adapters, protocols, bindings, packets, and who speaks on the wires. A plain value.
#[derive(Clone, Hash)]
pub struct Net {
    /// The other machines on the wires.
    pub peer: Peer,
    /// The adapters, as the plan numbers them.
    adapters: Vec<adapter::Adapter>,
    /// Registered protocols by handle.
    protocols: BTreeMap<u64, protocol::Protocol>,
    /// Open bindings by handle.
    bindings: BTreeMap<u64, protocol::Binding>,
    /// Pools of packet descriptors by handle.
    packet_pools: BTreeMap<u64, packet::Pool>,
    /// Received packets that the miniports have not got back, by address.
    loans: BTreeMap<u64, receive::Loan>,
    /// For each stream of the plan, how many of its steps are done.
    cursors: Vec<usize>,
    /// The boot is over: packets come.
    started: bool,
    /// Packets that have arrived so far.
    arrived: u32,
    /// Packets that were sent so far.
    sent: u32,
}

impl Net {
    /// The network of a plan before the boot: nobody has opened an adapter.
    pub fn new(plan: &Plan) -> Net {
        let adapter = |_| adapter::Adapter::new(plan.cpus);
        Net {
            peer: Peer::new(plan),
            adapters: plan.adapters.iter().map(adapter).collect(),
            protocols: BTreeMap::new(),
            bindings: BTreeMap::new(),
            packet_pools: BTreeMap::new(),
            loans: BTreeMap::new(),
            cursors: vec![0; plan.streams.len()],
            started: false,
            arrived: 0,
            sent: 0,
        }
    }

    /// Received packets that protocols still hold: their addresses and their numbers of arrival.
    pub fn held_packets(&self) -> impl Iterator<Item = (u64, u32)> {
        self.loans
            .iter()
            .map(|(&packet, loan)| (packet, loan.number))
    }
}

/// What NDIS does when a handler of a protocol that it called has returned, and what begins in a
/// context of its own.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Then {
    /// The interrupt of the adapter of this number is serviced.
    Service(u32),
    /// The receive handler of a binding has returned.
    Indicated {
        /// Number of the adapter.
        adapter: u32,
        /// Address of the packet.
        packet: u64,
        /// Whether the handler got the packet itself, so that it may keep it.
        lent: bool,
    },
    /// The receive-complete handler of a binding has returned.
    BatchEnded {
        /// Number of the adapter.
        adapter: u32,
        /// Handle of the binding.
        binding: u64,
    },
    /// The send-complete handler of a binding has returned: the next packet of the array follows.
    SendNext {
        /// Handle of the binding.
        binding: u64,
        /// Address of the array of packets.
        array: u64,
        /// Index of the next one.
        index: u64,
        /// Number of packets in the array.
        count: u64,
    },
    /// A thread tells the protocol that the closing of a binding is complete.
    CloseComplete {
        /// Handle of the binding.
        binding: u64,
    },
}

/// Continues NDIS's work.
pub(crate) fn resume(call: &mut Call<'_>, then: Then, value: u64) -> Done {
    match then {
        Then::Service(adapter) => {
            adapter::mask(call.m, call.core, adapter);
            dpc::queue_adapter(call.m, call.core, adapter);
            Ok(Outcome::End)
        }
        Then::Indicated {
            adapter,
            packet,
            lent,
        } => receive::indicated(call, adapter, packet, lent, value as u32),
        Then::BatchEnded { adapter, binding } => receive::batch_ended(call, adapter, binding),
        Then::SendNext {
            binding,
            array,
            index,
            count,
        } => send::next(call, binding, array, index, count),
        Then::CloseComplete { binding } => protocol::close_complete(call, binding),
    }
}

/// What follows a handler of a protocol.
fn then(then: Then) -> super::Then {
    super::Then::Ndis(then)
}

/// The driver did what NDIS's documentation forbids and the real NDIS does not survive in any
/// defined way: the run ends with words.
fn misuse(call: &mut Call<'_>, function: &str, what: impl Into<String>) -> Trouble {
    call.unimplemented(function, what)
}
