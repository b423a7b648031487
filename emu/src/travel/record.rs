//! A run as it was, with the indexes that make looking something up in it fast.

use std::collections::BTreeMap;
use std::sync::Arc;

use isa::{Atomic, Flow, Insn};

use crate::choice::{Actor, Question};
use crate::explain::Explained;
use crate::explain::names::own_frame;
use crate::loader::{Image, SourceFrame};
use crate::machine::context::Next;
use crate::machine::{AccessRecord, Ended, KernelStore, Log, Machine, Setup};
use crate::oracle::walk::{Observer, Walk, walk};
use crate::position::Position;
use crate::report::Report;
use crate::scene::lanes::{Lanes, Spot};
use crate::trace::Event;

/// A recorded run. Plain data, to be shared between threads.
pub struct Record {
    /// What does not change.
    pub setup: Arc<Setup>,
    log: Log,
    /// How it ended.
    pub ended: Ended,
    /// What is told about it.
    pub report: Report,
    /// Every instruction that was executed, decoded.
    insns: BTreeMap<u64, Insn>,
    /// Indexes in the path, of each core.
    by_core: Vec<Vec<u32>>,
    /// Indexes in the path, of each address.
    by_pc: BTreeMap<u64, Vec<u32>>,
    /// Indexes of the events, of each core.
    events_of: Vec<Vec<u32>>,
    lanes: Arc<Lanes>,
    /// Who executes each instruction of the path: an index in `strands`.
    strand_of: Vec<u16>,
    /// Indexes in the path, of each thread, and of each core's DPCs and interrupts.
    strands: Vec<Vec<u32>>,
    /// Counts of retired instructions, first and last, between which a core holds an exclusive
    /// reservation.
    reserved: Vec<(u64, u64)>,
    /// How many calls deep each instruction of the path is in what its strand does.
    depths: Vec<u16>,
    /// Where each core was when the run ended.
    ends: Vec<Option<u64>>,
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
        let mut by_pc: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (i, &(core, pc)) in machine.path().iter().enumerate() {
            by_core[usize::from(core)].push(i as u32);
            by_pc.entry(pc).or_default().push(i as u32);
        }
        let events = machine.recorder.events();
        let mut events_of = vec![Vec::new(); usize::from(machine.cpus())];
        for (i, event) in events.iter().enumerate() {
            events_of[usize::from(event.core)].push(i as u32);
        }
        let profile = machine.setup.profile;
        let spots = events.iter().map(|event| Spot::of(profile, event));
        let lanes = Arc::new(Lanes::new(machine.cpus(), spots.collect()));
        let mut weaver = Weaver::default();
        weaver.strand_of.reserve(machine.path().len());
        walk(&machine, &mut weaver);
        let ends = (0..machine.cpus()).map(|core| end(&machine, core));
        Record {
            by_core,
            by_pc,
            events_of,
            lanes,
            reserved: weaver.reserved(machine.path().len()),
            strand_of: weaver.strand_of,
            strands: weaver.strands.into_iter().map(|s| s.path).collect(),
            depths: weaver.depths,
            insns: weaver.insns,
            ends: ends.collect(),
            start: machine.state.booted,
            setup: machine.setup.clone(),
            log: machine.into_log(),
            ended,
            report,
        }
    }

    /// The events, in order.
    pub fn events(&self) -> &[Event] {
        self.log.recorder.events()
    }

    /// The next event of a core behind so many events, by index.
    pub(super) fn next_event(&self, core: u8, events: usize) -> Option<usize> {
        let all = self.events_of.get(usize::from(core))?;
        let at = all.partition_point(|&i| (i as usize) < events);
        all.get(at).map(|&i| i as usize)
    }

    /// The last of the first so many events that is one of a core.
    pub(super) fn last_event(&self, core: u8, events: usize) -> Option<usize> {
        let all = self.events_of.get(usize::from(core))?;
        let at = all.partition_point(|&i| (i as usize) < events);
        at.checked_sub(1).map(|at| all[at] as usize)
    }

    /// What the cores' IRQLs and events look like.
    pub fn lanes(&self) -> &Arc<Lanes> {
        &self.lanes
    }

    /// The return addresses, innermost first, at an event.
    pub fn stack(&self, event: usize) -> &[u64] {
        self.log.recorder.stack(event).unwrap_or_default()
    }

    /// Core and address of every instruction, in the order in which they retired.
    pub fn path(&self) -> &[(u8, u64)] {
        &self.log.path
    }

    /// Every access to memory by drivers, in order.
    pub fn accesses(&self) -> &[AccessRecord] {
        &self.log.accesses
    }

    /// Every store by the kernel, in order.
    pub fn kernel_stores(&self) -> &[KernelStore] {
        &self.log.kernel_stores
    }

    /// The addresses of the instructions that were executed, in order.
    pub fn executed(&self) -> impl Iterator<Item = u64> {
        self.by_pc.keys().copied()
    }

    /// An instruction that was executed.
    pub fn insn(&self, pc: u64) -> Option<&Insn> {
        self.insns.get(&pc)
    }

    /// The choice of that number, from 1.
    pub fn question(&self, number: u64) -> Option<Question<'_>> {
        self.log.questions.get(number)
    }

    /// How many choices there were.
    pub fn choices(&self) -> u64 {
        self.log.questions.len()
    }

    /// The first moment: before the first `DriverEntry`.
    pub fn first(&self) -> Position {
        Position::default()
    }

    /// The end of the boot, when the workload begins.
    pub fn booted(&self) -> Position {
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
        let marks = &self.log.marks;
        let choice = marks.partition_point(|&m| m <= retired);
        let since = choice.checked_sub(1).map_or(0, |i| marks[i]);
        Position {
            choice: choice as u64,
            step: retired - since,
        }
    }

    /// Instructions retired at a position.
    pub fn retired(&self, at: Position) -> u64 {
        let mark = |choice: u64| self.log.marks.get(choice as usize);
        let mark = at.choice.checked_sub(1).and_then(mark).copied();
        let retired = at.step.saturating_add(mark.unwrap_or(0));
        retired.min(self.path().len() as u64)
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
            true => self.retired(next),
            false => self.path().len() as u64,
        };
        let base = self.retired(Position { step: 0, ..at });
        let step = at.step.min(most.saturating_sub(base));
        Position { step, ..at }
    }

    /// The first event that is not before a position, by index.
    pub fn event_from(&self, at: Position) -> usize {
        self.events().partition_point(|e| e.at < at)
    }

    /// The first event behind a position, by index.
    pub fn event_behind(&self, at: Position) -> usize {
        self.events().partition_point(|e| e.at <= at)
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

    /// The indexes in the path at which the instruction at an address was executed, in order.
    pub(super) fn executions(&self, pc: u64) -> &[u32] {
        self.by_pc.get(&pc).map_or(&[], Vec::as_slice)
    }

    /// The instructions of the thread, DPC queue or interrupt that executes the one at `index`, and
    /// which of them that is.
    pub(super) fn strand(&self, index: usize) -> (&[u32], usize) {
        let strand = &self.strands[usize::from(self.strand_of[index])];
        let at = strand.partition_point(|&i| (i as usize) < index);
        (strand, at)
    }

    /// The driver that an address lies in.
    pub fn image(&self, pc: u64) -> Option<&Image> {
        let mut modules = self.setup.modules.iter();
        let module = modules.find(|m| pc.wrapping_sub(m.base) < m.size)?;
        module.image.as_deref()
    }

    /// The last count of retired instructions, not above this one, at which no core holds an
    /// exclusive reservation: those are not part of a snapshot.
    pub(super) fn without_reservation(&self, retired: u64) -> u64 {
        let at = self.reserved.partition_point(|&(from, _)| from <= retired);
        match at.checked_sub(1).map(|i| self.reserved[i]) {
            Some((from, to)) if retired <= to => from - 1,
            _ => retired,
        }
    }

    /// The line of the driver's own source that an address belongs to; where only a library's was
    /// compiled to it, that.
    pub fn source(&self, pc: u64) -> Option<SourceFrame> {
        let image = self.image(pc)?;
        let mut frames = image.source(pc);
        let own = own_frame(&image.name, &frames).cloned();
        own.or_else(|| (!frames.is_empty()).then(|| frames.remove(0)))
    }

    /// How many calls deep the instruction at `index` is in what its strand does.
    pub(super) fn depth(&self, index: usize) -> u16 {
        self.depths[index]
    }

    /// Where a core is in the code when so many instructions have retired: at what it executes
    /// next, at what it could not execute any more, or behind what it executed last. `None` if it
    /// never executes driver code.
    pub fn pc(&self, core: u8, retired: u64) -> Option<u64> {
        if let Some(next) = self.next_on_core(core, retired) {
            return Some(self.path()[next].1);
        }
        let last = || Some(self.path()[self.last_on_core(core, retired)?].1);
        self.ends[usize::from(core)].or_else(last)
    }
}

/// The instruction that a core was about to execute when the run ended.
fn end(machine: &Machine, core: u8) -> Option<u64> {
    let top = machine.state.cores[usize::from(core)].top();
    let executes = matches!(
        top.next,
        Next::Guest { .. } | Next::Update(_) | Next::Special
    );
    executes.then(|| machine.registers(usize::from(core)).pc)
}

/// Sorts the instructions of the path by who executes them.
#[derive(Default)]
struct Weaver {
    numbers: BTreeMap<Actor, u16>,
    strand_of: Vec<u16>,
    strands: Vec<Strand>,
    depths: Vec<u16>,
    insns: BTreeMap<u64, Insn>,
    /// Of each core, when it last made an exclusive reservation that it still holds.
    reserving: BTreeMap<u8, u64>,
    reserved: Vec<(u64, u64)>,
}

/// The instructions of one thread, or of a core's DPCs or interrupts.
#[derive(Default)]
struct Strand {
    path: Vec<u32>,
    /// Where the calls that have not returned yet return to.
    returns: Vec<u64>,
}

impl Strand {
    /// Adds an instruction; gives how many calls deep it is. Calls into the kernel return without
    /// an instruction, and so do those that end in such a call: so what counts is not who returns
    /// but who is returned to.
    fn add(&mut self, index: usize, insn: Option<Insn>) -> u16 {
        self.path.push(index as u32);
        let Some(insn) = insn else {
            return self.depth();
        };
        if let Some(level) = self.returns.iter().rposition(|&pc| pc == insn.addr) {
            self.returns.truncate(level);
        }
        let depth = self.depth();
        if matches!(insn.flow, Flow::Call { .. }) {
            self.returns.push(insn.next());
        }
        depth
    }

    fn depth(&self) -> u16 {
        self.returns.len().min(usize::from(u16::MAX)) as u16
    }
}

impl Weaver {
    /// A reservation lasts from the exclusive load to the store, and not across calls.
    fn reserve(&mut self, core: u8, index: u64, insn: &Insn) {
        let ends = matches!(
            insn.atomic,
            Atomic::StoreExclusive | Atomic::ClearExclusive | Atomic::LoadExclusive
        ) || matches!(insn.flow, Flow::Call { .. } | Flow::Return);
        if ends && let Some(since) = self.reserving.remove(&core) {
            self.reserved.push((since, index));
        }
        if insn.atomic == Atomic::LoadExclusive {
            self.reserving.insert(core, index + 1);
        }
    }

    /// All reservations, those that were held at the end among them, joined where they overlap.
    fn reserved(&mut self, end: usize) -> Vec<(u64, u64)> {
        let mut all = std::mem::take(&mut self.reserved);
        all.extend(self.reserving.values().map(|&since| (since, end as u64)));
        all.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (from, to) in all {
            match joined.last_mut() {
                Some((_, last)) if from <= *last + 1 => *last = to.max(*last),
                _ => joined.push((from, to)),
            }
        }
        joined
    }
}

impl Observer for Weaver {
    const PATH: bool = true;

    fn insn(&mut self, walk: &Walk<'_>, index: usize) {
        let (core, pc) = walk.machine.path()[index];
        let strands = &mut self.strands;
        let number = *self.numbers.entry(walk.actor(core)).or_insert_with(|| {
            strands.push(Strand::default());
            // Threads are never that many: their stacks would not fit.
            (strands.len() - 1).min(usize::from(u16::MAX)) as u16
        });
        let insn = self.insns.get(&pc).copied().or_else(|| {
            let insn = walk.machine.insn(pc)?;
            self.insns.insert(pc, insn);
            Some(insn)
        });
        if let Some(insn) = insn {
            self.reserve(core, index as u64, &insn);
        }
        let depth = self.strands[usize::from(number)].add(index, insn);
        self.depths.push(depth);
        self.strand_of.push(number);
    }
}
