//! Where a fault may strike, and what a rule has seen so far.

use std::collections::BTreeSet;

use isa::{Mem, RegisterAccess};

use super::place::Place;
use super::rule::Which;
use super::{Armed, Opportunity};
use crate::machine::Machine;
use crate::nt::Api;
use crate::trace::EventKind;

/// What a rule has seen and done so far. A plain value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// Opportunities so far.
    pub seen: u64,
    /// Times it struck.
    pub struck: u64,
    /// Of a strike that lasts, how much is left.
    pub(super) left: u64,
    /// What has to be undone, innermost last.
    pub(super) undo: Vec<Undo>,
    /// Places at which a core was interrupted and to which it comes again.
    served: Vec<Depth>,
    /// Call stacks from which the rule has seen something, by their hash.
    pub(super) stacks: BTreeSet<u64>,
}

impl Progress {
    /// Where the engine has to stop because something is to be undone there.
    pub(crate) fn stops(&self) -> impl Iterator<Item = u64> {
        self.undo.iter().map(|u| u.at).filter(|&at| at != 0)
    }
}

/// An IRQL to set when a routine or call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Undo {
    pub irql: u8,
    /// Where: the return address of the routine; 0 for a kernel call, which ends by itself.
    pub at: u64,
    /// How deep the core was.
    pub depth: Depth,
}

/// How deep in calls a core is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Depth {
    pub core: u8,
    /// The place.
    pub pc: u64,
    /// The stack pointer: calls that are made from here return below.
    pub sp: u64,
    /// The contexts of the core: what interrupts it returns above.
    pub contexts: usize,
}

/// Where a fault may strike.
pub(super) struct Site<'a> {
    pub m: &'a mut Machine,
    pub core: usize,
    pub rule: u16,
    pub armed: &'a Armed,
}

impl Site<'_> {
    pub fn progress(&mut self) -> &mut Progress {
        &mut self.m.state.faults[usize::from(self.rule)]
    }

    /// An opportunity: does the fault strike? Counts it; asks the schedule unless the rule says
    /// which one.
    pub fn strikes(&mut self) -> bool {
        let armed = self.armed;
        let elsewhere = armed
            .core
            .is_some_and(|core| usize::from(core) != self.core);
        if !self.is_time() || elsewhere || !self.is_here() {
            return false;
        }
        if armed
            .times
            .is_some_and(|times| self.progress().struck >= times)
        {
            return false;
        }
        self.progress().seen += 1;
        let Progress { seen, struck, .. } = *self.progress();
        let strikes = match armed.which {
            Which::Every => true,
            Which::Nth(n) => seen == n,
            Which::From(position) => struck == 0 && self.m.position() >= position,
            Which::Choice(options) => self.m.strikes(self.core, self.rule, options),
        };
        self.progress().struck += u64::from(strikes);
        strikes
    }

    /// Whether the drivers are where the rule strikes: in the run, or in their start.
    pub fn is_time(&self) -> bool {
        self.m.state.choosing != self.armed.boot
    }

    /// Whether an event is one of the place that the rule narrows it to.
    fn is_here(&self) -> bool {
        if self.armed.kind.opportunity != Opportunity::Event {
            return true;
        }
        match &self.armed.place {
            Place::Anywhere => true,
            Place::Call(name) => self.m.current_call().is_some_and(|api| api.name == *name),
            Place::Function { name, .. } => {
                let pc = self.m.caller_address(self.core);
                let module = self.m.in_driver(pc);
                let image = module.and_then(|i| self.m.setup.modules[i].image.as_ref());
                image.and_then(|i| i.function(pc)).is_some_and(|function| {
                    let rest = function.strip_suffix(name.as_str());
                    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
                })
            }
        }
    }

    /// Whether a kernel call is the rule's place.
    pub fn is_call(&self, api: &Api) -> bool {
        match &self.armed.place {
            Place::Anywhere => self.armed.fault.anywhere(),
            Place::Call(name) => api.name == *name,
            Place::Function { .. } => false,
        }
    }

    /// Whether the rule's place is the instruction at `pc`.
    pub fn is_at(&self, pc: u64) -> bool {
        self.armed.addresses.contains(&pc)
    }

    /// Whether the rule has a place.
    pub fn is_placed(&self) -> bool {
        self.armed.place != Place::Anywhere
    }

    /// The rule's place in words.
    pub fn name(&self) -> String {
        match &self.armed.place {
            Place::Anywhere => "anywhere".to_owned(),
            Place::Call(name) => (*name).to_owned(),
            Place::Function { name, .. } => name.clone(),
        }
    }

    /// How deep the core is, at `pc`.
    pub fn depth(&self, pc: u64) -> Depth {
        let live = self.m.live_registers(self.core);
        Depth {
            core: self.core as u8,
            pc,
            sp: live.get(isa::stack_pointer(self.m.arch())),
            contexts: self.m.state.cores[self.core].contexts.len(),
        }
    }

    /// Where the function returns to in which the core is about to execute the rule's place.
    pub fn return_address(&self) -> u64 {
        let arch = self.m.arch();
        if matches!(&self.armed.place, Place::Function { inside: true, .. }) {
            let stack = self.m.backtrace(self.core);
            return stack.get(1).map_or(0, |frame| frame.pc);
        }
        let live = self.m.live_registers(self.core);
        match isa::link_register(arch) {
            Some(link) => live.get(link),
            None => {
                let sp = live.get(isa::stack_pointer(arch));
                self.m.memory.read_ptr(arch, sp).unwrap_or(0)
            }
        }
    }

    /// Takes note that something is to be undone when the function or call ends.
    pub fn undo_later(&mut self, irql: u8, at: u64) {
        let depth = self.depth(at);
        self.progress().undo.push(Undo { irql, at, depth });
        if at != 0 {
            self.m.stop_at(at);
        }
    }

    /// What is to be undone at `place`, where a function returns to; 0: where a call returns.
    pub fn undo(&mut self, place: u64) -> Option<Undo> {
        let now = self.depth(place);
        let ends = |u: &Undo| {
            let same = u.depth.contexts == now.contexts && u.depth.sp <= now.sp;
            u.depth.core == now.core && u.at == place && same
        };
        let found = self.progress().undo.iter().rposition(ends)?;
        let undo = self.progress().undo.remove(found);
        if place != 0 {
            self.m.stop_no_more(place);
        }
        Some(undo)
    }

    /// Whether the core was interrupted here and comes again; forgets it.
    pub fn comes_again(&mut self, here: Depth) -> bool {
        let served = &mut self.progress().served;
        let found = served.iter().position(|s| *s == here);
        found.map(|i| served.remove(i)).is_some()
    }

    /// Takes note that the core is interrupted here.
    pub fn will_come_again(&mut self, here: Depth) {
        self.progress().served.push(here);
    }

    /// A strike becomes part of the story.
    pub fn tell(&mut self, detail: String) {
        let fault = self.armed.kind.name;
        let event = EventKind::Injected { fault, detail };
        self.m.event(self.core, event);
    }
}
