//! Driver code at work: how far it may go, and what it stops for.

use isa::{Reg, RegisterAccess};

use super::super::context::Next;
use super::super::engine::{Asked, Exit};
use super::super::{Granularity, INSTRUCTIONS_PER_TICK, Machine, options};
use crate::choice::strategy::Quiet;
use crate::choice::{Action, Choice};
use crate::stop::Stop;

impl Machine {
    /// Runs driver code; true if a scheduling point was reached.
    pub(super) fn run_guest(&mut self, core: usize, asked: Asked) -> Result<bool, Box<Stop>> {
        // Going on is one of the options.
        let going_on = Next::Guest {
            asked: asked != Asked::No,
        };
        self.state.cores[core].top_mut().next = going_on;
        self.prepare(core);
        if self.engine.pauses() {
            self.pause(core);
            return Ok(true);
        }
        let stopwatch = self.stopwatch.unwrap_or(|_| {});
        stopwatch(true);
        let before = self.engine.retired();
        let exit = self.engine.run(core, asked);
        stopwatch(false);
        self.state
            .checks
            .executed(core, self.engine.retired() - before);
        let (passed, at) = self.engine.passed();
        if passed > 0 {
            self.state.choices += passed;
            self.state.choice_at = at;
        }
        let next = &mut self.state.cores[core].top_mut().next;
        match exit {
            Exit::Trap(address) if address == self.setup.return_trap => {
                crate::faults::at_address(self, core, address);
                let arch = self.arch();
                let live = self.engine.registers(core);
                let low = live.get(isa::return_register(arch));
                let value = match arch {
                    // edx:eax; who wants 32 bits takes them.
                    isa::Arch::X86 => low | live.get(Reg(2)) << 32,
                    _ => low,
                };
                crate::rules::returns(self, core, value)?;
                self.pop_frame(core, value);
                Ok(self.ends_thread(core))
            }
            Exit::Trap(address) => match self.setup.import_at.get(&address) {
                Some(&import) => {
                    *next = Next::Call(import);
                    let effect = self.setup.imports[import as usize].effect;
                    let every = self.setup.granularity == Granularity::Insn;
                    Ok(every || effect.is_point())
                }
                None => {
                    *next = Next::Guest { asked: true };
                    let access = crate::stop::Access::Execute;
                    self.access_fault(core, address, access).map(|()| false)
                }
            },
            Exit::Point => {
                *next = Next::Guest { asked: true };
                self.decider.announced = self.engine.promise_kept();
                Ok(true)
            }
            Exit::Between => match self.engine.load(core, self.state.choices) {
                Some(loaded) => {
                    *next = Next::Update(loaded);
                    self.decider.announced = self.engine.promise_kept();
                    Ok(true)
                }
                None => self.run_guest(core, Asked::Between),
            },
            Exit::Deadline => {
                *next = Next::Guest { asked: false };
                Ok(true)
            }
            Exit::Paused => {
                *next = Next::Guest { asked: false };
                self.pause(core);
                Ok(true)
            }
            Exit::Stopped => {
                *next = Next::Special;
                // Only a change of IRQL is something the outside world can see.
                Ok(self.is_irql_change(core))
            }
            Exit::Fault { page, access } => {
                *next = Next::Guest { asked: true };
                let va = self.fault_address(core, page, access);
                self.access_fault(core, va, access).map(|()| false)
            }
            Exit::Exception => {
                *next = Next::Guest { asked: true };
                self.processor_exception(core).map(|()| false)
            }
        }
    }

    /// Driver code on a core has come to a scheduling point: whether that is a call before which there
    /// is nothing to ask, since nothing else can happen or the strategy passes more points than were
    /// passed so far. It is passed as the points before it were: what can happen is the same.
    pub(super) fn passes_call(&mut self, core: usize) -> bool {
        let cores = &self.state.cores;
        let at_call = matches!(cores[core].top().next, Next::Call(_));
        let alone = self.state.choosing && !self.engine.is_choosing();
        let promised = self.decider.foresees && self.engine.promises();
        if !at_call || !alone && !promised {
            return false;
        }
        // What driver code and time may have changed: a lock that others wait for, what faults delay.
        let waiting = cores
            .iter()
            .any(|c| matches!(c.top().next, Next::Spin { .. }));
        let at_limit = self.retired() >= self.setup.plan.limits.instructions;
        if waiting || at_limit || !self.state.faults.is_empty() {
            return false;
        }
        // Such a step is no choice.
        if self.steps_locally(core) || self.made_others_wait(core) {
            return false;
        }
        if alone {
            return true;
        }
        let passes = self.engine.pass_point();
        match passes {
            true => {
                self.state.choices += 1;
                self.state.choice_at = self.engine.retired();
            }
            false => self.decider.announced = self.engine.promise_kept(),
        }
        passes
    }

    /// Tells the engine how far it may go.
    fn prepare(&mut self, core: usize) {
        let mut deadline = self.setup.plan.limits.instructions;
        if let Some(due) = self.next_event()
            && self.state.choosing
        {
            let ticks = due.saturating_sub(self.state.skipped);
            let at = ticks.saturating_mul(INSTRUCTIONS_PER_TICK);
            if at > self.engine.retired() {
                deadline = deadline.min(at);
            }
        }
        if !self.state.choosing {
            deadline = self.state.nt.threads.boot_deadline.unwrap_or(deadline);
        }
        self.engine.set_deadline(deadline);
        self.engine.set_pause(self.pause_at());
        let no_wait = self.state.cores[core].irql >= self.irqls().dispatch;
        self.engine
            .set_guard(core, self.setup.watches_pages && no_wait);
        let mut quiet = None;
        let mut split = self.state.cores.len() > 1;
        if self.state.choosing
            && (self.decider.unseen || self.decider.observed || self.recorder.keeps())
        {
            quiet = Some(Quiet::Ask);
        } else if self.state.choosing {
            let mut options = std::mem::take(&mut self.decider.options);
            match std::mem::take(&mut self.decider.fresh) {
                true => options::after_switch(&mut options, core as u8),
                false => self.options(&mut options),
            }
            split &= options::within(&options, core as u8);
            if options.len() > 1 {
                quiet = Some(self.with_strategy(|strategy, m| {
                    strategy.quiet(&Choice {
                        number: m.state.choices + 1,
                        options: &options,
                        current: m.state.current,
                        announced: false,
                        view: m,
                    })
                }));
            } else if options
                .first()
                .is_some_and(|&o| o != Action::Run(core as u8))
            {
                // It is no choice, but it comes before this core goes on.
                quiet = Some(Quiet::Ask);
            }
            self.decider.options = options;
        }
        let left = self
            .setup
            .plan
            .limits
            .choices
            .saturating_sub(self.state.choices);
        // The choice behind which the run pauses is one that is asked about.
        let before = self.decider.goal.map_or(u64::MAX, |goal| {
            goal.choice.saturating_sub(self.state.choices + 1)
        });
        let left = left.min(before);
        match quiet {
            None => self.engine.set_choosing(false, false, 0, false),
            Some(Quiet::Ask) => self.engine.set_choosing(true, split, 0, false),
            Some(Quiet::Pass(n)) => {
                let promised = n <= left;
                self.engine.set_choosing(true, split, n.min(left), promised);
            }
            Some(Quiet::Forever) => self.engine.set_choosing(true, split, left, false),
        }
        debug_assert!(self.state.cores[core].top().registers.is_none());
    }
}
