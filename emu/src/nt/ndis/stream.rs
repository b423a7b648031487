//! What arrives, and when: the streams of the plan, and the frames that are on the wires in reply
//! to what was sent.
//!
//! A wire of an adapter counts as one more stream, behind those of the plan: what is on it arrives
//! in order, and when is for the schedule to say, like everything that comes from outside.

use crate::faults;
use crate::machine::Machine;
use crate::nt::{ndis::adapter, thread};
use crate::scenario::{Stream, StreamStep};
use crate::stop::{Awaited, Wait, Waiter};

/// The boot is over: packets may come.
pub(crate) fn start(m: &mut Machine) {
    m.state.nt.net.started = true;
    advance(m, 0);
}

/// Raises a signal of the plan, by its index, and lets everybody go on who waited for it.
pub fn signal(m: &mut Machine, core: usize, signal: usize) {
    m.state.nt.net.peer.signal(signal);
    advance(m, core);
}

/// Packets that have arrived so far.
pub(crate) fn arrived(m: &Machine) -> u32 {
    m.state.nt.net.arrived
}

/// The streams of which a packet can arrive now.
pub(crate) fn ready_streams(m: &Machine) -> impl Iterator<Item = u16> {
    let (net, plan) = (&m.state.nt.net, &m.setup.plan);
    let scripted = plan
        .streams
        .iter()
        .zip(&net.cursors)
        .map(|(stream, &cursor)| {
            net.started
                && net.adapters[stream.adapter].is_open()
                && matches!(stream.steps.get(cursor), Some(StreamStep::Send(_)))
        });
    let wires = net
        .adapters
        .iter()
        .map(|a| a.is_open() && !a.wire.is_empty());
    scripted
        .chain(wires)
        .zip(0..)
        .filter(|(ready, _)| *ready)
        .map(|(_, number)| number)
}

/// The next packet of a stream arrives, its interrupt on this core. What it says, it says as of
/// now. A stream that is not ready leaves everything as it is.
pub(crate) fn arrive(m: &mut Machine, stream: u16, core: u8) {
    let (stream, core) = (usize::from(stream), usize::from(core));
    let setup = m.setup.clone();
    let net = &mut m.state.nt.net;
    let (adapter, frame, struck) = match setup.plan.streams.get(stream) {
        Some(script) => {
            let cursor = &mut net.cursors[stream];
            let Some(StreamStep::Send(template)) = script.steps.get(*cursor) else {
                return;
            };
            *cursor += 1;
            (script.adapter, net.peer.build(template), false)
        }
        None => {
            let number = stream - setup.plan.streams.len();
            let frame = net
                .adapters
                .get_mut(number)
                .and_then(|a| a.wire.pop_front());
            let Some(frame) = frame else { return };
            (number, frame.bytes, frame.struck)
        }
    };
    if struck {
        adapter::receive(m, adapter, core, frame);
    } else {
        for frame in faults::frames(m, core, adapter, frame) {
            adapter::receive(m, adapter, core, frame);
        }
    }
    advance(m, core);
}

/// Takes every stream past the steps that are no packets and whose time has come, and wakes the
/// requesters whose conditions have come true. To be called whenever one may have.
pub(super) fn advance(m: &mut Machine, core: usize) {
    let setup = m.setup.clone();
    let net = &mut m.state.nt.net;
    // A signal of one stream can be what an earlier one waits for: again until nothing moves.
    let mut moved = net.started;
    while moved {
        moved = false;
        for (stream, cursor) in setup.plan.streams.iter().zip(&mut net.cursors) {
            while let Some(step) = stream.steps.get(*cursor) {
                match step {
                    StreamStep::Send(_) => break,
                    StreamStep::Await(condition) if !net.peer.reached(condition) => break,
                    StreamStep::Await(_) => {}
                    StreamStep::Signal(signal) => net.peer.signal(*signal),
                }
                *cursor += 1;
                moved = true;
            }
        }
    }
    thread::poll_awaiting(m, core);
}

/// Whether anything is still to arrive, or has arrived and is not handled yet.
pub(crate) fn stream_outstanding(m: &Machine) -> bool {
    let (net, plan) = (&m.state.nt.net, &m.setup.plan);
    let mut scripts = plan.streams.iter().zip(&net.cursors);
    let mut adapters = net.adapters.iter();
    net.started
        && (scripts.any(|(stream, &cursor)| cursor < stream.steps.len())
            || adapters.any(|a| {
                a.is_open() && (!a.wire.is_empty() || !a.held_up.is_empty())
                    || a.queues.iter().any(|q| q.line != adapter::Line::Idle)
            }))
}

/// What each stream that has not come to its end waits for.
pub(crate) fn waiting_streams(m: &Machine) -> Vec<Wait> {
    let (net, plan) = (&m.state.nt.net, &m.setup.plan);
    let scripts = plan.streams.iter().zip(&net.cursors).zip(0..);
    let wait = |((script, &step), stream): ((&Stream, &usize), usize)| {
        let awaited = match script.steps.get(step)? {
            StreamStep::Await(condition) => Awaited::Condition(*condition),
            StreamStep::Send(_) | StreamStep::Signal(_) => Awaited::Listener(script.adapter),
        };
        Some(Wait {
            waiter: Waiter::Stream { stream, step },
            awaited,
            holder: None,
            since: None,
        })
    };
    scripts.filter_map(wait).collect()
}
