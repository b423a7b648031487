//! The virtual miniport: receive queues and interrupts.
//!
//! As the miniports of the DDK do, the adapter keeps quiet from the interrupt until the DPC has
//! emptied the queue (MiniportDisableInterrupt, MiniportEnableInterrupt), for each core by itself.

use std::collections::VecDeque;

use crate::machine::Machine;
use crate::trace::event::PacketOp;
use crate::trace::{EventKind, FrameContents};

/// Length of an Ethernet header.
pub(super) const HEADER: usize = 14;

/// `NDIS_PACKET_TYPE_*`: the kinds of frames that a binding asks for.
pub(super) mod filter {
    pub const DIRECTED: u32 = 0x01;
    pub const MULTICAST: u32 = 0x02;
    pub const ALL_MULTICAST: u32 = 0x04;
    pub const BROADCAST: u32 = 0x08;
    pub const PROMISCUOUS: u32 = 0x20;
    /// What the virtual adapter can do.
    pub const ALL: u32 = DIRECTED | MULTICAST | ALL_MULTICAST | BROADCAST | PROMISCUOUS;
}

/// An adapter at run time.
#[derive(Clone, Debug, Hash)]
pub(super) struct Adapter {
    /// What its bindings ask for together; 0 while nobody listens.
    pub filter: u32,
    /// Its bindings, in the order in which they were opened.
    pub bindings: Vec<u64>,
    /// Frames from other adapters and replies of hosts that are on the way to it.
    pub wire: VecDeque<OnWire>,
    /// Frames that are held up on their way, and until when, in 100 ns since power-on.
    pub held_up: Vec<(u64, Vec<u8>)>,
    /// A receive queue for each core.
    pub queues: Vec<Queue>,
    /// Received packets that protocols hold.
    pub lent: u32,
    /// What it counts.
    pub counters: Counters,
}

/// A frame on a wire.
#[derive(Clone, Debug, Hash)]
pub(super) struct OnWire {
    /// The frame, without its check sequence.
    pub bytes: Vec<u8>,
    /// A fault has struck at it already.
    pub struck: bool,
}

impl From<Vec<u8>> for OnWire {
    fn from(bytes: Vec<u8>) -> OnWire {
        OnWire {
            bytes,
            struck: false,
        }
    }
}

/// A receive queue, and how far the DPC of its core is in it.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Queue {
    /// Frames that the DPC has not taken yet.
    pub ring: VecDeque<Frame>,
    /// The interrupt.
    pub line: Line,
    /// The packet that is being indicated.
    pub current: Option<u64>,
    /// The bindings that are still to get it.
    pub recipients: VecDeque<u64>,
    /// The bindings that got something in this batch, in that order.
    pub served: VecDeque<u64>,
}

/// A frame in a ring.
#[derive(Clone, Debug, Hash)]
pub(super) struct Frame {
    /// Its number of arrival in the run.
    pub number: u32,
    /// The frame, without its check sequence.
    pub bytes: Vec<u8>,
}

/// The interrupt of a receive queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Line {
    /// Nothing to tell.
    #[default]
    Idle,
    /// Asserted, not serviced.
    Asserted,
    /// Serviced; held back until the DPC is done.
    Masked,
}

/// The miniport's statistics (`OID_GEN_XMIT_OK`...).
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Counters {
    pub sent: u32,
    pub send_errors: u32,
    pub received: u32,
    pub no_buffer: u32,
}

impl Adapter {
    /// An adapter that nobody has opened, in a machine of `cpus` cores.
    pub fn new(cpus: u8) -> Adapter {
        Adapter {
            filter: 0,
            bindings: Vec::new(),
            wire: VecDeque::new(),
            held_up: Vec::new(),
            queues: vec![Queue::default(); usize::from(cpus)],
            lent: 0,
            counters: Counters::default(),
        }
    }

    /// Whether frames on its wire reach anybody.
    pub fn is_open(&self) -> bool {
        self.filter != 0
    }
}

/// Whether a packet filter lets a frame through (Windows 2000 DDK: `OID_GEN_CURRENT_PACKET_FILTER`).
pub(super) fn passes(filter: u32, groups: &[[u8; 6]], own: &[u8; 6], frame: &[u8]) -> bool {
    let Some(to) = frame.get(..6) else {
        return false;
    };
    let asked = |kind| filter & kind != 0;
    asked(filter::PROMISCUOUS)
        || match to[0] & 1 {
            _ if to == [0xFF; 6] => asked(filter::BROADCAST),
            1 => {
                asked(filter::ALL_MULTICAST)
                    || asked(filter::MULTICAST) && groups.iter().any(|group| group == to)
            }
            _ => asked(filter::DIRECTED) && to == own,
        }
}

/// A frame comes from the wire into the receive queue of a core.
pub(crate) fn receive(m: &mut Machine, adapter: usize, core: usize, bytes: Vec<u8>) {
    let net = &mut m.state.nt.net;
    let number = net.arrived;
    net.arrived += 1;
    let event = EventKind::Packet {
        op: PacketOp::Arrived,
        adapter: adapter as u32,
        number,
        length: bytes.len() as u32,
        contents: FrameContents::of(&bytes, m.recorder.keeps()),
    };
    net.adapters[adapter].queues[core]
        .ring
        .push_back(Frame { number, bytes });
    m.event(core, event);
    raise(m, adapter, core);
}

/// Asserts the interrupt of a receive queue, unless it is already, or held back.
fn raise(m: &mut Machine, adapter: usize, core: usize) {
    let queue = &mut m.state.nt.net.adapters[adapter].queues[core];
    if queue.line == Line::Idle {
        queue.line = Line::Asserted;
        let source = adapter as u32;
        let level = interrupt_level(m, source);
        m.event(
            core,
            EventKind::Interrupt {
                delivered: false,
                level,
                source,
            },
        );
    }
}

/// The interrupt service routine: holds further interrupts back on this core.
pub(super) fn mask(m: &mut Machine, core: usize, adapter: u32) {
    m.state.nt.net.adapters[adapter as usize].queues[core].line = Line::Masked;
}

/// The DPC is done: interrupts may come again, at once if frames came after it last looked.
pub(super) fn unmask(m: &mut Machine, core: usize, adapter: u32) {
    let queue = &mut m.state.nt.net.adapters[adapter as usize].queues[core];
    queue.line = Line::Idle;
    if !queue.ring.is_empty() {
        raise(m, adapter as usize, core);
    }
}

/// The interrupt that the core would take now, by the number of its adapter.
#[inline]
pub(crate) fn pending_interrupt(m: &Machine, core: usize) -> Option<u32> {
    let irql = m.state.cores[core].irql;
    let adapters = m.state.nt.net.adapters.iter().zip(0..);
    let mut asserted = adapters.filter(|(a, _)| a.queues[core].line == Line::Asserted);
    asserted
        .find(|&(_, source)| irql < interrupt_level(m, source))
        .map(|(_, source)| source)
}

/// The device IRQL of an adapter. A HAL gives adapters what its interrupt controller has free;
/// here they begin in the middle of the device levels.
pub(crate) fn interrupt_level(m: &Machine, source: u32) -> u8 {
    let irqls = m.irqls();
    let levels = u32::from(irqls.device_max - irqls.device_min) + 1;
    irqls.device_min + ((levels / 2 + source) % levels) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const GROUP: [u8; 6] = [1, 0, 0x5E, 0, 0, 1];

    /// For each kind of destination, the filters that alone let it through.
    #[test]
    fn packet_filter() {
        let kinds = [1, 2, 4, 8, 0x10, 0x20];
        type Row = ([u8; 6], &'static [[u8; 6]], &'static [u32]);
        let table: [Row; 6] = [
            (OWN, &[], &[filter::DIRECTED, filter::PROMISCUOUS]),
            ([2, 0, 0, 0, 0, 2], &[], &[filter::PROMISCUOUS]),
            ([0xFF; 6], &[], &[filter::BROADCAST, filter::PROMISCUOUS]),
            (GROUP, &[], &[filter::ALL_MULTICAST, filter::PROMISCUOUS]),
            (
                GROUP,
                &[GROUP],
                &[
                    filter::MULTICAST,
                    filter::ALL_MULTICAST,
                    filter::PROMISCUOUS,
                ],
            ),
            (GROUP, &[OWN], &[filter::ALL_MULTICAST, filter::PROMISCUOUS]),
        ];
        for (to, groups, lets) in table {
            for kind in kinds {
                let passed = passes(kind, groups, &OWN, &to);
                assert_eq!(passed, lets.contains(&kind), "{to:x?} through {kind:#x}");
            }
            assert!(!passes(0, groups, &OWN, &to));
        }
        assert!(
            !passes(filter::ALL, &[], &OWN, &[0xFF; 5]),
            "no whole address"
        );
    }
}
