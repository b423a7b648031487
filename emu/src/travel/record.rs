//! A run as it was, with the indexes that make looking something up in it fast.

use std::collections::BTreeMap;

use crate::choice::{Actor, Question};
use crate::explain::Explained;
use crate::machine::{AccessRecord, Ended, Machine};
use crate::oracle::walk::{Observer, Walk, walk};
use crate::position::Position;
use crate::report::Report;
use crate::trace::Event;

/// A recorded run.
pub struct Record {
    machine: Machine,
    /// How it ended.
    pub ended: Ended,
    /// What is told about it.
    pub report: Report,
    /// Indexes in the path, of each core.
    by_core: Vec<Vec<u32>>,
    /// Who executes each instruction of the path: an index in `strands`.
    strand_of: Vec<u16>,
    /// Indexes in the path, of each thread, and of each core's DPCs and interrupts.
    strands: Vec<Vec<u32>>,
    /// Instructions retired at each event.
    event_at: Vec<u64>,
    /// Instructions retired when the workload began.
    start: u64,
}

impl Record {
    /// The record of a run that has been explained.
    pub fn new(explained: Explained) -> Record {
        let Explained {
            machine,
            ended,
            report,
        } = explained;
        let mut by_core = vec![Vec::new(); usize::from(machine.cpus())];
        for (i, &(core, _)) in machine.path().iter().enumerate() {
            by_core[usize::from(core)].push(i as u32);
        }
        let mut weaver = Weaver::default();
        weaver.strand_of.reserve(machine.path().len());
        walk(&machine, &mut weaver);
        let events = machine.recorder.events().iter();
        Record {
            by_core,
            strand_of: weaver.strand_of,
            strands: weaver.strands,
            event_at: events.map(|e| machine.retired_at(e.at)).collect(),
            start: machine.state.booted,
            machine,
            ended,
            report,
        }
    }

    /// The machine that recorded it, as the run left it.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The events, in order.
    pub fn events(&self) -> &[Event] {
        self.machine.recorder.events()
    }

    /// Core and address of every instruction, in the order in which they retired.
    pub fn path(&self) -> &[(u8, u64)] {
        self.machine.path()
    }

    /// Every access to memory by drivers, in order.
    pub fn accesses(&self) -> &[AccessRecord] {
        self.machine.accesses()
    }

    /// The choice of that number, from 1.
    pub fn question(&self, number: u64) -> Option<Question<'_>> {
        self.machine.asked().get(number)
    }

    /// How many choices there were.
    pub fn choices(&self) -> u64 {
        self.machine.asked().len()
    }

    /// The first moment of the run: the end of the boot.
    pub fn first(&self) -> Position {
        Position {
            choice: 0,
            step: self.start,
        }
    }

    /// The last moment of the run.
    pub fn last(&self) -> Position {
        self.moment(self.path().len() as u64)
    }

    /// The last moment at which so many instructions had retired: the choices before the next
    /// instruction have been answered.
    pub fn moment(&self, retired: u64) -> Position {
        self.machine.last_position_of(retired)
    }

    /// Instructions retired at a position.
    pub fn retired(&self, at: Position) -> u64 {
        self.machine.retired_at(at).min(self.path().len() as u64)
    }

    /// The position as the run knows it: one that lies behind its end, or has more steps than its
    /// choice, is brought back to a moment that was.
    pub fn clamp(&self, at: Position) -> Position {
        let at = Position {
            choice: at.choice.min(self.choices()),
            ..at
        };
        let next = Position {
            choice: at.choice + 1,
            step: 0,
        };
        let most = match at.choice < self.choices() {
            true => self.machine.retired_at(next),
            false => self.path().len() as u64,
        };
        let base = self.machine.retired_at(Position { step: 0, ..at });
        let step = at.step.min(most.saturating_sub(base));
        Position { step, ..at }.max(self.first())
    }

    /// The first event that is not before a position, by index.
    pub fn event_from(&self, at: Position) -> usize {
        self.events().partition_point(|e| e.at < at)
    }

    /// The first event behind a position, by index.
    pub fn event_behind(&self, at: Position) -> usize {
        self.events().partition_point(|e| e.at <= at)
    }

    /// Instructions retired at an event.
    pub fn event_retired(&self, event: usize) -> u64 {
        self.event_at[event]
    }

    /// The next instruction that a core executes once so many have retired, by index in the path.
    pub fn next_on_core(&self, core: u8, retired: u64) -> Option<usize> {
        let all = self.by_core.get(usize::from(core))?;
        let at = all.partition_point(|&i| u64::from(i) < retired);
        all.get(at).map(|&i| i as usize)
    }

    /// The last instruction that a core has executed when so many have retired.
    pub fn last_on_core(&self, core: u8, retired: u64) -> Option<usize> {
        let all = self.by_core.get(usize::from(core))?;
        let at = all.partition_point(|&i| u64::from(i) < retired);
        at.checked_sub(1).map(|at| all[at] as usize)
    }

    /// The instructions of the thread, DPC queue or interrupt that executes the one at `index`, and
    /// which of them that is.
    pub(super) fn strand(&self, index: usize) -> (&[u32], usize) {
        let strand = &self.strands[usize::from(self.strand_of[index])];
        let at = strand.partition_point(|&i| (i as usize) < index);
        (strand, at)
    }

    /// Where a core is in the code when so many instructions have retired: at what it executes
    /// next, or executed last. `None` if it never executes driver code.
    pub fn pc(&self, core: u8, retired: u64) -> Option<u64> {
        let next = self.next_on_core(core, retired);
        let index = next.or_else(|| self.last_on_core(core, retired))?;
        Some(self.path()[index].1)
    }
}

/// Sorts the instructions of the path by who executes them.
#[derive(Default)]
struct Weaver {
    numbers: BTreeMap<Actor, u16>,
    strand_of: Vec<u16>,
    strands: Vec<Vec<u32>>,
}

impl Observer for Weaver {
    const PATH: bool = true;

    fn insn(&mut self, walk: &Walk<'_>, index: usize) {
        let (core, _) = walk.machine.path()[index];
        let strands = &mut self.strands;
        let number = *self.numbers.entry(walk.actor(core)).or_insert_with(|| {
            strands.push(Vec::new());
            // Threads are never that many: their stacks would not fit.
            (strands.len() - 1).min(usize::from(u16::MAX)) as u16
        });
        strands[usize::from(number)].push(index as u32);
        self.strand_of.push(number);
    }
}
