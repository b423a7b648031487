//! What happened to each IRP, from its allocation to its end.

use std::collections::{BTreeMap, VecDeque};

use crate::machine::Machine;
use crate::position::Position;

/// Major functions of requests that a requester can cancel: read, write, device control. Nobody
/// cancels the opening and closing of a file.
const CANCELLABLE: [u8; 3] = [0x03, 0x04, 0x0E];

/// IRPs that have ended and are still remembered.
const REMEMBERED: usize = 64;

/// Who owns an IRP, and so who frees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A driver: from `IoAllocateIrp` and its relatives.
    Driver,
    /// The I/O manager, which frees it when it is complete.
    Threaded,
    /// The I/O manager, which waits for it and frees it then.
    Awaited,
}

/// What is known of an IRP beyond its memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Its address.
    pub irp: u64,
    /// Who owns it.
    pub origin: Origin,
    /// What happened to it, oldest first.
    pub history: Vec<Step>,
    /// How it ended, for its sender: `IoStatus`.
    result: Option<Ended>,
}

/// One thing that happened to an IRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// When.
    pub at: Position,
    /// On which core.
    pub core: u8,
    /// Guest address of the call that did it.
    pub pc: u64,
    /// What.
    pub what: What,
}

/// What happened to an IRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// It was allocated.
    Allocated,
    /// It went to the driver of this device, with this major function.
    Dispatched {
        /// Device object.
        device: u64,
        /// Major function code.
        major: u8,
    },
    /// It was completed with this status.
    Completed(u32),
    /// It was cancelled.
    Cancelled,
    /// It was freed.
    Freed,
}

/// How an IRP ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ended {
    pub status: u32,
    pub information: u64,
}

/// The IRPs in flight by address, and the last ones that ended.
#[derive(Clone, Debug, Default, Hash)]
pub struct Irps {
    live: BTreeMap<u64, Record>,
    ended: VecDeque<Record>,
}

impl Irps {
    /// The IRPs in flight, by address.
    pub fn live(&self) -> impl Iterator<Item = &Record> {
        self.live.values()
    }

    /// Some that have ended, the newest last.
    pub fn ended(&self) -> impl Iterator<Item = &Record> {
        self.ended.iter()
    }

    /// Everything known of IRPs at this address, the newest last.
    pub fn history(&self, irp: u64) -> impl Iterator<Item = &Record> {
        let ended = self.ended.iter().filter(move |r| r.irp == irp);
        ended.chain(self.live.get(&irp))
    }

    /// The requesters' IRPs that are with drivers: neither completed nor cancelled yet.
    pub(crate) fn cancellable(&self) -> Vec<u64> {
        let ends = |step: &Step| matches!(step.what, What::Completed(_) | What::Cancelled);
        let with_drivers = self.live.values().filter(|r| {
            let reaches = |s: &Step| match s.what {
                What::Dispatched { major, .. } => CANCELLABLE.contains(&major),
                _ => false,
            };
            r.origin != Origin::Driver
                && r.history.iter().any(reaches)
                && !r.history.iter().any(ends)
        });
        with_drivers.map(|r| r.irp).collect()
    }

    pub(super) fn origin(&self, irp: u64) -> Option<Origin> {
        self.live.get(&irp).map(|r| r.origin)
    }

    /// Whether an IRP is completed, or not there any more.
    pub(super) fn is_completed(&self, irp: u64) -> bool {
        let completed = |step: &Step| matches!(step.what, What::Completed(_));
        let live = self.live.get(&irp);
        live.is_none_or(|record| record.history.iter().any(completed))
    }

    pub(super) fn set_origin(&mut self, irp: u64, origin: Origin) {
        if let Some(record) = self.live.get_mut(&irp) {
            record.origin = origin;
        }
    }

    pub(super) fn set_result(&mut self, irp: u64, ended: Ended) {
        if let Some(record) = self.live.get_mut(&irp) {
            record.result = Some(ended);
        }
    }

    pub(super) fn result(&self, irp: u64) -> Option<Ended> {
        self.live.get(&irp).and_then(|r| r.result)
    }

    fn note(&mut self, irp: u64, step: Step) {
        // An IRP in a driver's own memory begins its history with the first thing that happens.
        let new = || Record {
            irp,
            origin: Origin::Driver,
            history: Vec::new(),
            result: None,
        };
        let record = self.live.entry(irp).or_insert_with(new);
        record.history.push(step);
        if step.what == What::Freed
            && let Some(record) = self.live.remove(&irp)
        {
            if self.ended.len() == REMEMBERED {
                self.ended.pop_front();
            }
            self.ended.push_back(record);
        }
    }
}

/// Adds to an IRP's history.
pub(super) fn note(m: &mut Machine, core: usize, irp: u64, what: What) {
    let step = Step {
        at: m.position(),
        core: core as u8,
        pc: m.caller_address(core),
        what,
    };
    m.state.nt.io.irps.note(irp, step);
}
