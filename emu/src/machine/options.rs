//! What can happen next. The order is part of what a schedule means: what the machine would do if
//! nobody interfered comes first.

use super::Machine;
use super::context::Next;
use super::engine::Granularity;
use crate::choice::{Action, ChoiceKind, Kinds, World};
use crate::nt::{ndis, spin_lock, thread};

/// Makes the options of a moment those of the same moment with another core that ran last.
pub(super) fn after_switch(options: &mut [Action], current: u8) {
    let runs = options
        .iter()
        .take_while(|o| matches!(o, Action::Run(_)))
        .count();
    options[..runs].sort_unstable_by_key(|o| match *o {
        Action::Run(core) => (core != current, core),
        _ => unreachable!("they are cores that can run"),
    });
}

/// Whether anything but going on can happen while a core is between the two accesses of an
/// instruction, given the options before it.
pub(super) fn within(options: &[Action], core: u8) -> bool {
    options.iter().any(|option| match *option {
        Action::Run(other) => other != core,
        other => !interrupts(other, core),
    })
}

/// Whether an action interrupts what a core does. That happens between instructions, and so on one
/// core a read-modify-write is indivisible.
fn interrupts(action: Action, this: u8) -> bool {
    match action {
        Action::Switch(core) | Action::Dpcs(core) | Action::Clock(core) => core == this,
        Action::Interrupt { core, .. } => core == this,
        Action::Run(_) | Action::Packet { .. } | Action::Spare | Action::Strike(_) => false,
    }
}

impl Machine {
    /// Fills `out` with everything that can happen now.
    pub(super) fn options(&self, out: &mut Vec<Action>) {
        out.clear();
        let current = usize::from(self.state.current);
        let cores = self.state.cores.len();
        if self.can_run(current) {
            out.push(Action::Run(current as u8));
        }
        out.extend(
            (0..cores)
                .filter(|&c| c != current && self.can_run(c))
                .map(|c| Action::Run(c as u8)),
        );
        if !self.state.choosing {
            return;
        }
        let open = out.len();
        self.outside(out);
        if out.len() > open {
            self.not_between(out);
        }
        let World { held, prompt } = self.setup.world;
        if prompt != Kinds::NONE
            && let Some(action) = self.prompt(&out[open..])
        {
            out.clear();
            out.push(action);
            return;
        }
        if held == Kinds::NONE {
            return;
        }
        // What is held still happens only when nothing else can, and then in this order.
        let first = out.get(open).copied();
        let mut at = 0;
        out.retain(|action| {
            at += 1;
            at <= open || !held.contains(action.kind())
        });
        if out.is_empty() {
            out.extend(first);
        }
    }

    /// Takes away what would interrupt a core between the two accesses of an instruction.
    fn not_between(&self, out: &mut Vec<Action>) {
        for (core, c) in self.state.cores.iter().enumerate() {
            if matches!(c.top().next, Next::Update(_)) {
                out.retain(|&action| !interrupts(action, core as u8));
            }
        }
    }

    /// What the outside world does at once, where it has no choice but does not wait either.
    /// Streams take turns, and so do the cores that their packets interrupt.
    fn prompt(&self, outside: &[Action]) -> Option<Action> {
        let prompt = self.setup.world.prompt;
        let mut now = outside.iter().filter(|a| prompt.contains(a.kind()));
        let first = *now.next()?;
        let Action::Packet { .. } = first else {
            return Some(first);
        };
        // For each stream that is ready, one for each core.
        let packets = || outside.iter().filter(|a| a.kind() == ChoiceKind::Packet);
        packets()
            .nth(ndis::arrived(self) as usize % packets().count())
            .copied()
    }

    /// What can happen besides that a core goes on.
    fn outside(&self, out: &mut Vec<Action>) {
        let cores = self.state.cores.len();
        let irqls = self.irqls();
        for (core, c) in self.state.cores.iter().enumerate() {
            if self.is_stalled(core) {
                continue;
            }
            let number = core as u8;
            if c.irql < irqls.dispatch && thread::rival(self, core) {
                out.push(Action::Switch(number));
            }
            let dpcs = &self.state.nt.dpcs;
            // What was requested from another core is the same: the interrupt that asks comes.
            let queued = dpcs.waiting(number) || dpcs.requested(number);
            let hears = queued && dpcs.hears(number, self.now());
            if c.irql < irqls.dispatch && hears && !c.in_dpc() {
                out.push(Action::Dpcs(number));
            }
            if let Some(source) = ndis::pending_interrupt(self, core) {
                out.push(Action::Interrupt {
                    core: number,
                    source,
                });
            }
        }
        // The clock interrupt that looks at timers is the boot processor's [ReactOS ke/time.c].
        let due = self
            .state
            .nt
            .timers
            .next_due()
            .is_some_and(|due| due <= self.now());
        if due && self.state.cores[0].irql < irqls.clock && !self.is_stalled(0) {
            out.push(Action::Clock(0));
        }
        ndis::ready_streams(self).for_each(|stream| {
            out.extend((0..cores as u8).map(|core| Action::Packet { stream, core }));
        });
    }

    /// A core whose next step nobody else could see, where nothing but cores can act: the order of
    /// such a step and the others' is no decision.
    pub(super) fn unseen(&self, options: &[Action]) -> Option<Action> {
        if self.setup.granularity == Granularity::Insn {
            return None;
        }
        let core = |action: &Action| match *action {
            Action::Run(core) => Some(usize::from(core)),
            _ => None,
        };
        // What costs less is looked at first.
        let runs = options.iter().all(|a| core(a).is_some());
        let local = |a: &&Action| core(a).is_some_and(|core| self.steps_locally(core));
        options.iter().filter(|_| runs).find(local).copied()
    }

    /// Whether what a core has just done leaves another one a step that nobody could see: a lock that
    /// is held now is one that cannot be tried. Such a step comes before any point is passed, so that
    /// what is a choice does not depend on what a strategy passes quietly.
    pub(super) fn made_others_wait(&self, core: usize) -> bool {
        self.state.choosing
            && self.setup.world.held.includes(Kinds::WORLD)
            && (0..self.state.cores.len()).any(|c| {
                let calls = matches!(self.state.cores[c].top().next, Next::Call(_));
                c != core && calls && !self.is_stalled(c) && self.steps_locally(c)
            })
    }

    /// Whether a core can make progress by itself.
    fn can_run(&self, core: usize) -> bool {
        if self.is_stalled(core) {
            return false;
        }
        let top = self.state.cores[core].top();
        match &top.next {
            // A ready thread has been given to an idle core already.
            Next::Idle | Next::Blocked => false,
            Next::Spin { lock, .. } => spin_lock::is_free(self, *lock),
            _ => true,
        }
    }

    /// Whether anything of the workload is left that the run should wait for.
    pub(super) fn work_outstanding(&self) -> bool {
        let spinning = self
            .state
            .cores
            .iter()
            .any(|c| matches!(c.top().next, Next::Spin { .. }));
        spinning || thread::requester_outstanding(self) || ndis::stream_outstanding(self)
    }
}
