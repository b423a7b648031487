//! The causal chain from a stop back: who made the memory that was touched what it is, which locks
//! were held, and which decisions of the outside world came in between.

use isa::MemOperand;

use super::fill::stack;
use super::names::MachineNames;
use super::slice;
use crate::machine::memory::{Miss, RegionKind};
use crate::machine::{AccessRecord, Machine};
use crate::position::Position;
use crate::report::{Names, Place, WhyStep, tag};
use crate::rules::{self, Rule};
use crate::stop::{Access, Bugcheck, Stop};
use crate::trace::event::{IrpOp, LockOp, PoolOp};
use crate::trace::{Event, EventKind};

/// Addresses below this are a null pointer with an offset: nothing is ever mapped there.
const NULL_REACH: u64 = 0x1_0000;

/// The story of a stop, oldest first; empty when there is nothing to tell.
pub(super) fn tell(machine: &Machine, names: &MachineNames<'_>, stop: &Stop) -> Vec<WhyStep> {
    let mut story = Story {
        machine,
        names,
        steps: Vec::new(),
    };
    story.injected_faults();
    match stop {
        Stop::Bugcheck(bugcheck) => match bugcheck.access {
            Some((va, access)) => story.memory(bugcheck, va, access),
            None => story.stopped(bugcheck),
        },
        Stop::Request { status, .. } => story.request(*status),
        _ => {}
    }
    story.finish()
}

struct Story<'a> {
    machine: &'a Machine,
    names: &'a MachineNames<'a>,
    steps: Vec<WhyStep>,
}

/// A pool block at some time of the run: event indices of its allocation and its release.
struct Block {
    allocated: usize,
    freed: Option<usize>,
    base: u64,
    size: u64,
    tag: [u8; 4],
}

/// What a pool block has to do with the access that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is the memory that was touched.
    Touched,
    /// The wrong pointer was read from it.
    Holder,
    /// The pointer pointed to it before it became wrong; the block itself is not used any more.
    Former,
}

impl Role {
    fn words(self) -> &'static str {
        match self {
            Role::Touched => "the memory that is touched",
            Role::Holder => "what the pointer was read from",
            Role::Former => "what the pointer pointed to before",
        }
    }
}

impl Story<'_> {
    fn events(&self) -> &[Event] {
        self.machine.recorder.events()
    }

    fn add(
        &mut self,
        at: Position,
        core: u8,
        verb: &str,
        what: String,
        place: Place,
    ) -> &mut WhyStep {
        self.steps.push(WhyStep {
            number: 0,
            at,
            core,
            verb: verb.into(),
            what,
            place,
            note: None,
            stack: Vec::new(),
        });
        self.steps.last_mut().expect("just pushed")
    }

    fn add_event(&mut self, event: usize, verb: &str, what: String) -> &mut WhyStep {
        let e = self.events()[event].clone();
        let stack = self.stack_of(event);
        let place = stack
            .first()
            .cloned()
            .unwrap_or_else(|| self.names.resolve(e.pc));
        let step = self.add(e.at, e.core, verb, what, place);
        step.stack = stack;
        step
    }

    fn stack_of(&self, event: usize) -> Vec<Place> {
        let pcs = self.machine.recorder.stack(event).unwrap_or_default();
        // Where the driver itself is, not the wrappers that it calls the kernel through.
        let pcs = &pcs[self.names.own_frame(pcs).unwrap_or(0)..];
        // The innermost is the return address of the kernel call itself.
        let mut frames = pcs.iter().map(|pc| pc.saturating_sub(1));
        match frames.next() {
            Some(first) => {
                let rest = pcs[1..].iter().copied();
                stack(self.names, std::iter::once(first).chain(rest))
            }
            None => Vec::new(),
        }
    }

    /// What was injected is always part of the cause.
    fn injected_faults(&mut self) {
        let injected: Vec<usize> = self
            .events()
            .iter()
            .enumerate()
            .filter(|(_, e)| matches!(e.kind, EventKind::Injected { .. }))
            .map(|(i, _)| i)
            .collect();
        for i in injected {
            let EventKind::Injected { fault, detail } = self.events()[i].kind.clone() else {
                continue;
            };
            self.add_event(i, "inject", format!("{fault}: {detail}"));
        }
    }

    /// The access that failed, and what led to its address.
    fn memory(&mut self, bugcheck: &Bugcheck, va: u64, access: Access) {
        let verb = match access {
            Access::Read => "read",
            Access::Write => "write",
            Access::Execute => "execute",
        };
        let block = self.block_at(va);
        let what = match &block {
            Some(b) => format!("{} +{:#x}", tag(b.tag), va - b.base),
            None => self.names.object(va),
        };
        if let Some(block) = block {
            self.block_history(&block, bugcheck.core, Role::Touched);
        } else if self.machine.memory.miss(va, access) == Some(Miss::NotResident) {
            self.paged_out(va, bugcheck.core);
        } else if access != Access::Execute {
            self.pointer(bugcheck, va);
        }
        // Last: the choices that led here are at the same position, and came before.
        let end = self.machine.position();
        let core = usize::from(bugcheck.core);
        let place = self.names.resolve(bugcheck.pc);
        let pcs: Vec<u64> = self.machine.backtrace(core).iter().map(|f| f.pc).collect();
        let frames = stack(self.names, pcs.into_iter());
        let step = self.add(end, bugcheck.core, verb, what, place);
        step.stack = frames;
        step.note = Some(format!("IRQL {}: the machine stops", bugcheck.irql));
    }

    /// The most recent pool block that contained `va`.
    fn block_at(&self, va: u64) -> Option<Block> {
        let region = self.machine.memory.region(va)?.kind;
        if !matches!(region, RegionKind::NonPagedPool | RegionKind::PagedPool) {
            return None;
        }
        let mut freed = None;
        for (i, e) in self.events().iter().enumerate().rev() {
            let EventKind::Pool {
                op,
                block,
                size,
                tag,
                ..
            } = e.kind
            else {
                continue;
            };
            if !(block <= va && va < block + size.max(1)) || block == 0 {
                continue;
            }
            match op {
                PoolOp::Freed => freed = freed.or(Some(i)),
                PoolOp::Allocated => {
                    return Some(Block {
                        allocated: i,
                        freed,
                        base: block,
                        size,
                        tag,
                    });
                }
                PoolOp::Failed => {}
            }
        }
        None
    }

    /// Allocation and release of a block, and what is remarkable about the release.
    fn block_history(&mut self, block: &Block, user: u8, role: Role) {
        let name = tag(block.tag);
        let what = format!("{name} {:#x}", block.size);
        let step = self.add_event(block.allocated, "alloc", what.clone());
        step.note = Some(role.words().into());
        let Some(freed) = block.freed else { return };
        let e = self.events()[freed].clone();
        if role == Role::Former {
            self.add_event(freed, "free", name);
            return;
        }
        let note = match e.core == user {
            true => "by the same core, which goes on using it".into(),
            false => match self.held_at(freed, user).as_slice() {
                [] => format!("core {user} still uses it and holds no lock"),
                locks => {
                    let locks: Vec<_> = locks.iter().map(|&l| self.names.object(l)).collect();
                    format!("core {user} still uses it, holding {}", locks.join(", "))
                }
            },
        };
        self.add_event(freed, "free", name).note = Some(note);
        self.takeovers(e.at, user);
    }

    /// The locks that a core holds at an event.
    fn held_at(&self, event: usize, core: u8) -> Vec<u64> {
        let mut held = Vec::new();
        for e in &self.events()[..event] {
            if let EventKind::Lock { op, lock } = e.kind
                && e.core == core
            {
                match op {
                    LockOp::Acquired => held.push(lock),
                    LockOp::Released => held.retain(|&l| l != lock),
                    LockOp::Contended => {}
                }
            }
        }
        held
    }

    /// The decisions around `freed` that mattered: the last one before it by which another core
    /// than `user` got to run, and the first one after it by which `user` ran again.
    fn takeovers(&mut self, freed: Position, user: u8) {
        let is_takeover = |e: &Event| matches!(&e.kind, EventKind::Choice { label, .. } if label.ends_with("takes over"));
        let events = self.events();
        let split = events.partition_point(|e| e.at < freed);
        let before = events[..split]
            .iter()
            .rposition(|e| is_takeover(e) && e.core == user);
        let after = events[split..]
            .iter()
            .position(|e| is_takeover(e) && e.core != user)
            .map(|i| i + split);
        for i in [before, after].into_iter().flatten() {
            let EventKind::Choice { label, options, .. } = self.events()[i].kind.clone() else {
                continue;
            };
            let core = self.events()[i].core;
            // Where the core that loses the turn stands is what makes the choice matter.
            let step = self.add_event(i, "choice", label);
            step.note = Some(format!("core {core} stops here; {options} options"));
        }
    }

    /// A page that was taken away: when, and why the core cannot wait for it.
    fn paged_out(&mut self, va: u64, core: u8) {
        let size = self.machine.setup.profile.page_size();
        let page = va & !(size - 1);
        let out = self.events().iter().rposition(
            |e| matches!(e.kind, EventKind::Page { resident: false, page: p } if p == page),
        );
        if let Some(i) = out {
            let what = self.names.object(page);
            self.add_event(i, "page out", what).note = Some("pageable memory".into());
        }
        let dispatch = self.machine.irqls().dispatch;
        let raised = self.events().iter().rposition(|e| {
            e.core == core
                && matches!(e.kind, EventKind::Irql { from, to } if from < dispatch && to >= dispatch)
        });
        if let Some(i) = raised {
            let EventKind::Irql { from, to } = self.events()[i].kind else {
                return;
            };
            self.add_event(i, "raise", format!("IRQL {from} -> {to}"))
                .note = Some("from here on the core cannot wait for a page".into());
        }
    }

    /// Where the wrong pointer came from.
    fn pointer(&mut self, bugcheck: &Bugcheck, va: u64) {
        let machine = self.machine;
        let Some(insn) = machine.insn(bugcheck.pc) else {
            return;
        };
        let registers = machine.registers(usize::from(bugcheck.core));
        let touches = |m: &&MemOperand| {
            let at = m.address(&registers);
            at <= va && va < at + u64::from(m.width.max(1))
        };
        let Some(base) = insn.operands().find(touches).and_then(|m| m.base) else {
            return;
        };
        let Some(origin) = slice::origin(machine, bugcheck.core, base, machine.path().len()) else {
            return;
        };
        let log = machine.accesses();
        let load = log[origin.load];
        let null = va < NULL_REACH;
        let value = match null {
            true => "a null pointer".to_owned(),
            false => format!("the pointer {:#x}", load.value),
        };
        self.add_access(
            &load,
            "pick",
            format!("{value} from {}", self.names.object(load.address)),
        );
        if let Some(block) = self.block_at(load.address) {
            self.block_history(&block, bugcheck.core, Role::Holder);
        }
        let Some(store) = origin.store else { return };
        let stored = log[store];
        let what = format!("{value} to {}", self.names.object(stored.address));
        self.add_access(&stored, "wrote", what);
        if let Some(before) = slice::store_before(log, store) {
            let old = log[before];
            if let Some(block) = self.block_at(old.value).filter(|_| old.value > NULL_REACH) {
                self.block_history(&block, bugcheck.core, Role::Former);
            }
        }
    }

    fn add_access(&mut self, access: &AccessRecord, verb: &str, what: String) {
        let at = self.machine.position_of_access(access);
        let place = self.names.resolve(access.pc);
        self.add(at, access.core, verb, what, place);
    }

    /// A stop that no memory access caused. If a rule did, what was broken, and where it began.
    fn stopped(&mut self, bugcheck: &Bugcheck) {
        let rule = rules::ended_by(self.machine);
        if let Some(rule) = rule {
            self.broken(rule);
        }
        let place = self.names.resolve(bugcheck.pc);
        let end = self.machine.position();
        let what = format!("{:#010X}", bugcheck.code);
        let step = self.add(end, bugcheck.core, "stop", what, place);
        step.note = rule.map(|rule| format!("rule {} ({})", rule.name, rule.source));
    }

    /// The breach of a rule, which is the last event but the stop.
    fn broken(&mut self, rule: &'static Rule) {
        let Some(last) = self.events().len().checked_sub(2) else {
            return;
        };
        let EventKind::Broken { what, .. } = self.events()[last].kind.clone() else {
            return;
        };
        for (event, role) in rules::causes(self.machine, last) {
            self.add_event(event, "before", role);
        }
        let step = self.add_event(last, "break", what);
        step.note = Some(rule.help.into());
    }

    /// A request that failed: where the driver completed it so.
    fn request(&mut self, status: u32) {
        let completed = self.events().iter().rposition(|e| match e.kind {
            EventKind::Irp { op, status: s, .. } => op == IrpOp::Completed && s == status,
            _ => false,
        });
        if let Some(i) = completed {
            let name = crate::nt::status::name(status);
            self.add_event(
                i,
                "complete",
                format!("the request with {status:#010x} ({name})"),
            );
        }
    }

    /// In order of time, numbered.
    fn finish(mut self) -> Vec<WhyStep> {
        // A choice comes before what it leads to; what stops the machine is last.
        self.steps.sort_by_key(|s| (s.at, s.verb != "choice"));
        for (i, step) in self.steps.iter_mut().enumerate() {
            step.number = i as u32 + 1;
        }
        self.steps
    }
}
