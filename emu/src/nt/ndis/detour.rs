//! Frames that do not take the straight way to an adapter: what faults of the network need.

use super::{adapter, interrupt_level, ready_streams};
use crate::machine::Machine;
use crate::nt::timer::Due;

/// Puts a frame behind all that is on the way to an adapter.
pub(crate) fn put_back(m: &mut Machine, adapter: usize, bytes: Vec<u8>) {
    let struck = true;
    let frame = adapter::OnWire { bytes, struck };
    m.state.nt.net.adapters[adapter].wire.push_back(frame);
}

/// Holds a frame up for a time in 100 ns.
pub(crate) fn hold_up(m: &mut Machine, adapter: usize, bytes: Vec<u8>, ticks: u64) {
    let until = m.now() + ticks;
    let held = &mut m.state.nt.net.adapters[adapter].held_up;
    held.push((until, bytes));
    m.state.nt.timers.set(until, Due::Frame(adapter as u32));
}

/// The frames of an adapter whose time has come go on.
pub(crate) fn let_go(m: &mut Machine, adapter: u32) {
    let (adapter, now) = (adapter as usize, m.now());
    let held = &mut m.state.nt.net.adapters[adapter].held_up;
    let mut going = std::mem::take(held);
    *held = going.extract_if(.., |(until, _)| *until > now).collect();
    // In the order in which they were to go on, whatever the order in which they came.
    going.sort_by_key(|(until, _)| *until);
    for (_, bytes) in going {
        put_back(m, adapter, bytes);
    }
}

/// Makes one frame of a held one and of another, if `join` can; the held one is gone then.
pub(crate) fn join_held_up(
    m: &mut Machine,
    adapter: usize,
    join: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let held = &mut m.state.nt.net.adapters[adapter].held_up;
    let joined = held.iter().map(|(_, frame)| join(frame));
    let (at, both) = joined
        .enumerate()
        .find_map(|(at, both)| Some((at, both?)))?;
    held.remove(at);
    Some(both)
}

/// The adapter at which a stream's packets arrive.
fn adapter_of(m: &Machine, stream: u16) -> usize {
    let streams = &m.setup.plan.streams;
    let stream = usize::from(stream);
    streams
        .get(stream)
        .map_or_else(|| stream - streams.len(), |s| s.adapter)
}

/// A stream of which a packet can arrive at an adapter now.
pub(crate) fn next_of(m: &Machine, adapter: usize) -> Option<u16> {
    ready_streams(m).find(|&stream| adapter_of(m, stream) == adapter)
}

/// Whether a core would take the interrupt of a packet of a stream at once.
pub(crate) fn would_interrupt(m: &Machine, stream: u16, core: usize) -> bool {
    let adapter = adapter_of(m, stream);
    let level = interrupt_level(m, adapter as u32);
    let line = m.state.nt.net.adapters[adapter].queues[core].line;
    line == adapter::Line::Idle && m.state.cores[core].irql < level
}
