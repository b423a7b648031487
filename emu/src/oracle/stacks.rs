//! Stacks of instructions of the path: events have theirs in the record, accesses do not, so the
//! calls and returns of the path are followed for the few places that a finding names.

use std::collections::{BTreeMap, BTreeSet};

use isa::Flow;

use super::walk::{Observer, Walk, walk};
use crate::choice::Actor;
use crate::machine::Machine;
use crate::trace::EventKind;

/// The return addresses, innermost first, at each of these instructions of the path.
pub fn at(machine: &Machine, wanted: &BTreeSet<usize>) -> BTreeMap<usize, Vec<u64>> {
    let mut stacks = Stacks {
        wanted,
        found: BTreeMap::new(),
        now: BTreeMap::new(),
        code: BTreeMap::new(),
    };
    if !wanted.is_empty() {
        walk(machine, &mut stacks);
    }
    stacks.found
}

struct Stacks<'a> {
    wanted: &'a BTreeSet<usize>,
    found: BTreeMap<usize, Vec<u64>>,
    now: BTreeMap<Actor, Stack>,
    /// By address: where the next instruction is, and whether this one is a call.
    code: BTreeMap<u64, (u64, bool)>,
}

/// What an actor is in.
#[derive(Default)]
struct Stack {
    /// Return addresses, innermost last.
    returns: Vec<u64>,
    /// How many there were when the kernel entered each routine that has not come back.
    entered: Vec<usize>,
    /// Where the last instruction would go on, and whether it was a call.
    last: (u64, bool),
}

impl Observer for Stacks<'_> {
    const PATH: bool = true;

    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        match e.kind {
            EventKind::Leave { .. } => {
                let stack = self.now.entry(walk.actor(e.core)).or_default();
                let depth = stack.entered.pop().unwrap_or(0);
                stack.returns.truncate(depth);
                stack.last = (0, false);
            }
            EventKind::Thread {
                op: crate::trace::event::ThreadOp::Ended,
                thread,
            } => {
                self.now.remove(&Actor::Thread(thread));
            }
            _ => {}
        }
    }

    fn after(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        if matches!(e.kind, EventKind::Enter { .. }) {
            let stack = self.now.entry(walk.actor(e.core)).or_default();
            stack.entered.push(stack.returns.len());
            stack.last = (0, false);
        }
    }

    fn insn(&mut self, walk: &Walk<'_>, index: usize) {
        let (core, pc) = walk.machine.path()[index];
        let (next, calls) = *self.code.entry(pc).or_insert_with(|| {
            let insn = walk.machine.insn(pc);
            insn.map_or((0, false), |i| {
                (i.next(), matches!(i.flow, Flow::Call { .. }))
            })
        });
        let stack = self.now.entry(walk.actor(core)).or_default();
        let (expected, called) = stack.last;
        if called || pc != expected {
            // Whoever comes to a return address by other ways than the next instruction has
            // returned there: from a function, or from a kernel call, which leaves no path.
            let from = stack.entered.last().copied().unwrap_or(0);
            let returned = stack.returns[from..].iter().rposition(|&r| r == pc);
            if let Some(at) = returned {
                stack.returns.truncate(from + at);
            }
        }
        if self.wanted.contains(&index) {
            let stack = stack.returns.iter().rev().copied().collect();
            self.found.insert(index, stack);
        }
        if calls {
            stack.returns.push(next);
        }
        stack.last = (next, calls);
    }
}
