//! The run: choose what happens next, let it happen, until something ends it.

mod ask;
mod contexts;
mod guest;

use isa::{Reg, RegisterAccess};

use super::context::{Caller, Entered, Frame, Next, Outcome};
use super::engine::Asked;
use super::registers::LiveRegisters;
use super::{Machine, Paused};
use crate::choice::{Action, Moves, Strategy};
use crate::nt::{self, Call, Done, Then, Trouble, thread};
use crate::position::Position;
use crate::stop::{Limit, Stop};
use crate::trace::EventKind;
use crate::trace::event::Args;

/// Virtual time, in 100 ns, that the machine waits with nothing but timers for what the workload
/// still expects: ten minutes, longer than any protocol's timer.
const PATIENCE: u64 = 600 * 10_000_000;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Why.
    pub stop: Stop,
    /// The answers that were not option 0.
    pub moves: Moves,
    /// Choices answered.
    pub choices: u64,
    /// Instructions retired by all cores, the boot's included.
    pub instructions: u64,
    /// Hash over all events.
    pub trace_hash: u64,
}

/// What answers the choices of the current run.
#[derive(Default)]
pub(super) struct Decider {
    strategy: Option<Box<dyn Strategy>>,
    /// The strategy hears of every step.
    observed: bool,
    /// What it promises covers calls.
    foresees: bool,
    /// The step being made is no decision, and ends at the next point.
    unseen: bool,
    moves: Vec<(u64, u32)>,
    /// The options of the coming choice; kept to save the allocation.
    options: Vec<Action>,
    /// They are those of now, but for which core ran last.
    fresh: bool,
    /// The run pauses at the last moment that is not behind this position.
    goal: Option<Position>,
    /// It has been reached, and the next choice is about to be made.
    reached: bool,
    /// The last point passed was the last of the strategy's promise.
    announced: bool,
    /// The kernel call at work.
    pub(super) caller: Option<Caller>,
    /// The core that a fault would strike, while that is being asked.
    struck: Option<u8>,
}

impl Machine {
    /// Runs until something ends the run, every choice answered by `strategy`.
    pub fn run(&mut self, strategy: Box<dyn Strategy>) -> Ended {
        self.run_and_return(strategy).0
    }

    /// The same for who wants the strategy back, with what it has learnt.
    pub fn run_and_return(&mut self, strategy: Box<dyn Strategy>) -> (Ended, Box<dyn Strategy>) {
        let (ended, strategy) = self.run_until(strategy, None);
        (ended.expect("without a goal it runs to its end"), strategy)
    }

    /// Runs to the last moment that is not behind `goal`, every choice answered by `strategy`; gives
    /// how the run ended if it did not get so far. Running on from there is the run without a pause.
    /// A choice inside the kernel's own work cannot be paused at: what follows it can.
    pub fn run_to(&mut self, strategy: Box<dyn Strategy>, goal: Position) -> Option<Ended> {
        self.run_until(strategy, Some(goal)).0
    }

    /// What runs from now on is a run that has made these moves so far.
    pub(crate) fn begin_behind(&mut self, moves: &[(u64, u32)]) {
        self.decider.moves.clear();
        self.decider.moves.extend_from_slice(moves);
    }

    /// Goes on with a run to the first choice that the machine can pause before and whose number is
    /// at least `choice`. How the run ended, if it did not get so far.
    pub(crate) fn run_before(
        &mut self,
        strategy: Box<dyn Strategy>,
        choice: u64,
    ) -> (Option<Ended>, Box<dyn Strategy>) {
        let goal = Position {
            choice: choice.saturating_sub(1),
            step: u64::MAX,
        };
        self.go_on(strategy, Some(goal))
    }

    /// Goes on with a run to its end.
    pub(crate) fn run_on(&mut self, strategy: Box<dyn Strategy>) -> (Ended, Box<dyn Strategy>) {
        let (ended, strategy) = self.go_on(strategy, None);
        (ended.expect("without a goal it runs to its end"), strategy)
    }

    fn run_until(
        &mut self,
        strategy: Box<dyn Strategy>,
        goal: Option<Position>,
    ) -> (Option<Ended>, Box<dyn Strategy>) {
        self.begin_behind(&[]);
        self.go_on(strategy, goal)
    }

    fn go_on(
        &mut self,
        strategy: Box<dyn Strategy>,
        goal: Option<Position>,
    ) -> (Option<Ended>, Box<dyn Strategy>) {
        self.decider.observed = strategy.observes();
        self.decider.foresees = strategy.foresees();
        self.decider.strategy = Some(strategy);
        self.decider.announced = false;
        self.decider.fresh = false;
        self.decider.goal = goal;
        self.decider.reached = false;
        let stop = loop {
            match self.turn() {
                Ok(None) if self.decider.reached || self.state.paused.is_some() => break None,
                Ok(None) => {}
                Ok(Some(stop)) => break Some(stop),
                Err(stop) => break Some(*stop),
            }
        };
        let ended = stop.map(|stop| self.ended(stop));
        let strategy = self.decider.strategy.take();
        (ended, strategy.expect("a run has a strategy"))
    }

    fn ended(&mut self, stop: Stop) -> Ended {
        if let Stop::Bugcheck(b) = &stop {
            self.event(usize::from(b.core), EventKind::Bugcheck { code: b.code });
        }
        Ended {
            stop,
            moves: Moves(std::mem::take(&mut self.decider.moves)),
            choices: self.state.choices,
            instructions: self.engine.retired(),
            trace_hash: self.recorder.hash(),
        }
    }

    /// One decision and what follows from it.
    fn turn(&mut self) -> Result<Option<Stop>, Box<Stop>> {
        if let Some(paused) = self.state.paused.take() {
            return self.resume(paused).map(|()| None);
        }
        if self.retired() >= self.setup.plan.limits.instructions {
            return Ok(Some(self.limit(Limit::Instructions)));
        }
        let boot = self
            .state
            .nt
            .threads
            .boot_deadline
            .filter(|_| !self.state.choosing);
        if boot.is_some_and(|deadline| self.retired() >= deadline) {
            return Ok(Some(self.limit(Limit::DriverEntry)));
        }
        if self.state.choices >= self.setup.plan.limits.choices {
            return Ok(Some(self.limit(Limit::Choices)));
        }
        thread::fill_idle_cores(self);
        let mut options = std::mem::take(&mut self.decider.options);
        self.options(&mut options);
        self.decider.fresh = true;
        let action = match options.len() {
            0 => None,
            1 => Some(options[0]),
            _ if !self.state.choosing => Some(options[0]),
            _ => match self.unseen(&options) {
                Some(action) => {
                    self.decider.options = options;
                    return self.step_unseen(action).map(|()| None);
                }
                None if self.is_at_goal() => {
                    self.decider.options = options;
                    self.decider.reached = true;
                    return Ok(None);
                }
                None => {
                    let action = options[self.answer(&options)];
                    self.asked_before(action);
                    Some(action)
                }
            },
        };
        self.decider.options = options;
        self.decider.announced = false;
        match action {
            Some(action) => {
                if self.decider.observed && self.state.choosing {
                    self.with_strategy(|strategy, m| strategy.observe(m, action));
                }
                self.perform(action).map(|()| None)
            }
            None => Ok(self.idle()),
        }
    }

    /// A core that was chosen to go on has been asked about the instruction it stands at, however
    /// it came there.
    fn asked_before(&mut self, action: Action) {
        let Action::Run(core) = action else { return };
        let core = usize::from(core);
        let top = self.state.cores[core].top();
        if top.next == (Next::Guest { asked: false }) {
            let at = self.engine.registers(core).get(Reg::PC);
            let asked = self.engine.is_point(at);
            self.state.cores[core].top_mut().next = Next::Guest { asked };
        }
    }

    /// A step that is no decision. It changes neither whose turn it is nor what a strategy promised.
    fn step_unseen(&mut self, action: Action) -> Result<(), Box<Stop>> {
        let current = self.state.current;
        self.decider.unseen = true;
        let result = self.perform(action);
        self.decider.unseen = false;
        self.state.current = current;
        if let Some(paused) = &mut self.state.paused {
            paused.unseen = Some(current);
        }
        result
    }

    /// Goes on after a pause in the middle of a turn.
    fn resume(&mut self, paused: Paused) -> Result<(), Box<Stop>> {
        match paused.unseen {
            Some(current) => {
                self.state.current = current;
                self.step_unseen(Action::Run(paused.core))
            }
            None => self.run_core(usize::from(paused.core)),
        }
    }

    /// Whether the next choice is one too many for the position that the run pauses at.
    fn is_at_goal(&self) -> bool {
        let goal = self.decider.goal;
        goal.is_some_and(|goal| self.state.choices >= goal.choice)
    }

    /// The count of retired instructions at which the run pauses.
    fn pause_at(&self) -> u64 {
        match self.decider.goal {
            Some(goal) if self.is_at_goal() => self.state.choice_at.saturating_add(goal.step),
            _ => u64::MAX,
        }
    }

    /// Pauses the run before the instruction that `core` executes next.
    fn pause(&mut self, core: usize) {
        self.state.paused = Some(Paused {
            core: core as u8,
            unseen: None,
        });
    }

    fn limit(&self, limit: Limit) -> Stop {
        let value = match limit {
            Limit::Instructions => self.setup.plan.limits.instructions,
            Limit::DriverEntry => self.setup.plan.limits.driver_entry,
            Limit::Choices => self.setup.plan.limits.choices,
        };
        let pc = self.registers(usize::from(self.state.current)).pc;
        Stop::Limit { limit, value, pc }
    }

    /// Nothing can happen now: let time pass until something can, or end the run.
    fn idle(&mut self) -> Option<Stop> {
        if !self.work_outstanding() {
            return Some(Stop::Completed);
        }
        match self.next_event() {
            Some(due) if self.state.idle < PATIENCE => {
                // At least one tick, so that a timer that is set again and again cannot hold time.
                let skip = due.saturating_sub(self.now()).max(1);
                self.state.skipped += skip;
                self.state.idle += skip;
                None
            }
            _ => Some(self.deadlock()),
        }
    }

    fn perform(&mut self, action: Action) -> Result<(), Box<Stop>> {
        let done = self.perform_unnoted(action);
        let core = match action {
            Action::Run(core) | Action::Switch(core) | Action::Dpcs(core) => core,
            Action::Clock(core) | Action::Packet { core, .. } => core,
            Action::Interrupt { core, .. } => core,
            Action::Spare | Action::Strike(_) => self.state.current,
        };
        self.note_stores(usize::from(core), None);
        done
    }

    fn perform_unnoted(&mut self, action: Action) -> Result<(), Box<Stop>> {
        match action {
            Action::Run(core) => self.run_core(usize::from(core)),
            Action::Switch(core) => {
                thread::yield_core(self, usize::from(core));
                Ok(())
            }
            Action::Dpcs(core) => {
                self.state.nt.dpcs.request(core);
                self.software_interrupts(usize::from(core));
                Ok(())
            }
            Action::Clock(core) => {
                nt::timer::expire(self, usize::from(core))?;
                self.software_interrupts(usize::from(core));
                Ok(())
            }
            Action::Packet { stream, core } => {
                self.state.lively();
                nt::ndis::arrive(self, stream, core);
                Ok(())
            }
            Action::Interrupt { core, source } => {
                self.interrupt(usize::from(core), source);
                Ok(())
            }
            Action::Spare | Action::Strike(_) => Ok(()),
        }
    }

    /// Lets a core do what it does until the next scheduling point.
    fn run_core(&mut self, core: usize) -> Result<(), Box<Stop>> {
        self.state.current = core as u8;
        loop {
            if self.is_stalled(core) {
                return Ok(());
            }
            match self.state.cores[core].top().next {
                // What comes most often is not moved about.
                Next::Guest { .. } if !self.decider.unseen && self.made_others_wait(core) => {
                    return Ok(());
                }
                Next::Guest { asked } => {
                    if self.run_guest(core, asked.into())? {
                        match self.passes_call(core) {
                            true => continue,
                            false => return Ok(()),
                        }
                    }
                }
                Next::Call(import) => self.call(core, import)?,
                _ => {
                    let next = &mut self.state.cores[core].top_mut().next;
                    let next = std::mem::replace(next, Next::Idle);
                    if self.go_on_with(core, next)? {
                        return Ok(());
                    }
                }
            }
            self.decider.fresh = false;
            self.flush();
            self.software_interrupts(core);
            // Whoever gets an idle core gets it now, whatever the strategy has promised to pass.
            if thread::fill_idle_cores(self) && self.state.choosing {
                return Ok(());
            }
            if self.state.choosing && self.engine.retired() >= self.setup.plan.limits.instructions {
                return Ok(());
            }
        }
    }

    /// What a core does next, if it is neither driver code nor a call of it; true if a scheduling point
    /// was reached.
    fn go_on_with(&mut self, core: usize, next: Next) -> Result<bool, Box<Stop>> {
        match next {
            Next::Idle => {
                if !thread::dispatch(self, core) {
                    return Ok(true);
                }
            }
            Next::Update(loaded) if self.retired() >= self.pause_at() => {
                self.state.cores[core].top_mut().next = Next::Update(loaded);
                self.pause(core);
                return Ok(true);
            }
            Next::Update(loaded) => {
                // This is no store of the kernel.
                let journal = self.memory.journal.take();
                self.engine.give_back(&loaded);
                self.memory.journal = journal;
                if self.run_guest(core, Asked::Between)? {
                    return Ok(true);
                }
            }
            Next::Special if self.retired() >= self.pause_at() => {
                self.state.cores[core].top_mut().next = Next::Special;
                self.pause(core);
                return Ok(true);
            }
            Next::Special => self.special(core)?,
            Next::Host(then, value) => self.host(core, then, value, None)?,
            Next::Resume(then, caller, value) => self.host(core, then, value, caller)?,
            Next::Spin { lock, since } => {
                if !nt::spin_lock::take(self, core, lock) {
                    self.state.cores[core].top_mut().next = Next::Spin { lock, since };
                    return Ok(true);
                }
                self.pop_frame(core, 0);
            }
            Next::Blocked => {
                self.state.cores[core].top_mut().next = Next::Blocked;
                return Ok(true);
            }
            Next::Guest { .. } | Next::Call(_) => unreachable!("looked at before"),
        }
        Ok(false)
    }

    /// The arguments of the kernel call that driver code on `core` is about to make, narrowed to
    /// their width.
    pub(super) fn arguments(&self, core: usize, api: &nt::Api) -> [u64; 12] {
        let arch = self.arch();
        let live = self.engine.registers(core);
        self.arguments_at(&live, live.get(isa::stack_pointer(arch)), api)
    }

    /// The same for who has read the stack pointer.
    fn arguments_at(&self, live: &LiveRegisters, sp: u64, api: &nt::Api) -> [u64; 12] {
        let arch = self.arch();
        let mut slots = [0; 24];
        let slots = &mut slots[..api.slots(arch)];
        let convention = api.style.convention(arch);
        convention.arguments(live, sp, &*self.memory, slots);
        let mut args = [0; 12];
        let mut at = 0;
        for (value, arg) in args.iter_mut().zip(api.args) {
            let low = slots[at];
            *value = match arg.width {
                1 => low & 0xFF,
                2 => low & 0xFFFF,
                4 => low & 0xFFFF_FFFF,
                8 if arg.slots(arch) == 2 => low | slots[at + 1] << 32,
                _ => low,
            };
            at += arg.slots(arch);
        }
        args
    }

    /// Performs a kernel call that driver code has made.
    fn call(&mut self, core: usize, import: u32) -> Result<(), Box<Stop>> {
        let slot = self.setup.imports[import as usize];
        self.state.cores[core].top_mut().next = Next::Call(import);
        if crate::faults::interrupts(self, core, Some(slot.api), slot.address)? {
            return Ok(());
        }
        self.state.cores[core].top_mut().next = Next::Idle;
        let arch = self.arch();
        let live = self.engine.registers(core);
        let sp = live.get(isa::stack_pointer(arch));
        let back = isa::return_address_at(arch, &live, sp, &*self.memory);
        let caller = Caller {
            import,
            sp,
            lr: isa::link_register(arch).map_or(0, |r| live.get(r)),
            return_address: back.unwrap_or(0),
        };
        let args = self.arguments_at(&live, sp, slot.api);
        self.decider.caller = Some(caller);
        let name = slot.api.name;
        let shown = Args::from(&args[..slot.api.args.len()]);
        self.event(core, EventKind::Call { name, args: shown });
        crate::faults::before_call(self, core, slot.api);
        let mut call = Call {
            m: self,
            core,
            args,
        };
        let done = crate::rules::irql::called(call.m, core, slot.api, &args)
            .map_err(Trouble::from)
            .and_then(|()| nt::irql::check_contract(&mut call, slot.api))
            .and_then(|()| (slot.api.handler)(&mut call));
        let result = self.apply(core, done, Some(caller));
        self.note_stores(core, Some(caller));
        self.decider.caller = None;
        result
    }

    /// Continues the kernel's own work.
    fn host(
        &mut self,
        core: usize,
        then: Then,
        value: u64,
        caller: Option<Caller>,
    ) -> Result<(), Box<Stop>> {
        self.decider.caller = caller;
        let mut call = Call {
            m: self,
            core,
            args: [0; 12],
        };
        let done = nt::resume(&mut call, then, value);
        let result = self.apply(core, done, caller);
        self.note_stores(core, caller);
        self.decider.caller = None;
        result
    }

    /// Carries out what a kernel function came to.
    fn apply(&mut self, core: usize, done: Done, caller: Option<Caller>) -> Result<(), Box<Stop>> {
        let outcome = match done {
            Ok(outcome) => outcome,
            Err(Trouble::Stop(stop)) => return Err(stop),
            Err(Trouble::Fault { va, access }) => {
                return Err(self.kernel_fault(core, va, access, caller));
            }
        };
        let top = self.state.cores[core].top_mut();
        match outcome {
            Outcome::Return(value) => match caller {
                Some(caller) => self.return_to_guest(core, caller, value),
                // The kernel's own work had nobody to return to: the context is at its end.
                None => self.end_context(core),
            },
            Outcome::Enter {
                what,
                routine,
                args,
                then,
            } => {
                self.enter(core, what, routine, &args, then, caller);
            }
            Outcome::Spin { lock, then } => {
                top.frames.push(Frame {
                    what: "",
                    routine: 0,
                    then,
                    caller,
                    entry: None,
                    entered: Entered::default(),
                });
                let since = self.position();
                self.state.cores[core].top_mut().next = Next::Spin { lock, since };
            }
            Outcome::Wait { then } => {
                top.frames.push(Frame {
                    what: "",
                    routine: 0,
                    then,
                    caller,
                    entry: None,
                    entered: Entered::default(),
                });
                top.next = Next::Blocked;
                thread::park(self, core);
            }
            Outcome::Continue(then, value) => return self.host(core, then, value, caller),
            Outcome::End => {
                crate::rules::ends(self, core)?;
                self.end_context(core);
            }
        }
        Ok(())
    }

    /// Driver code came back, or a wait or a spin ended: continue what the frame says.
    fn pop_frame(&mut self, core: usize, value: u64) {
        let top = self.state.cores[core].top_mut();
        let Some(frame) = top.frames.pop() else {
            top.next = Next::Host(Then::End, value);
            return;
        };
        top.next = Next::Resume(frame.then, frame.caller, value);
        if !frame.what.is_empty() {
            self.event(
                core,
                EventKind::Leave {
                    what: frame.what,
                    value,
                },
            );
        }
    }

    /// Enters driver code on the core's current stack.
    fn enter(
        &mut self,
        core: usize,
        what: &'static str,
        routine: u64,
        args: &[u64],
        then: Then,
        caller: Option<Caller>,
    ) {
        let arch = self.arch();
        let mut live = self.engine.registers(core);
        let entry = self.recorder.keeps().then(|| Box::new(live.save()));
        let entered = crate::rules::entered(self, core, what, args);
        let top = self.state.cores[core].top_mut();
        match caller {
            Some(caller) => live.set(isa::stack_pointer(arch), caller.sp),
            None => live.set(isa::stack_pointer(arch), top.stack - 0x40),
        }
        let convention = nt::Style::Std.convention(arch);
        let to = self.setup.return_trap;
        // A full stack leaves the arguments unwritten; the routine faults on the same page.
        convention.enter(arch, &mut live, &mut *self.memory, routine, args, to);
        top.frames.push(Frame {
            what,
            routine,
            then,
            caller,
            entry,
            entered,
        });
        top.next = Next::Guest { asked: false };
        self.event(core, EventKind::Enter { what, routine });
    }

    /// Returns from a kernel call to the driver.
    fn return_to_guest(&mut self, core: usize, caller: Caller, value: u64) {
        let arch = self.arch();
        let api = self.setup.imports[caller.import as usize].api;
        let mut live = self.engine.registers(core);
        if let Some(lr) = isa::link_register(arch) {
            live.set(lr, caller.lr);
        }
        let convention = api.style.convention(arch);
        let to = caller.return_address;
        convention.return_to(&mut live, caller.sp, to, api.slots(arch), value);
        self.state.cores[core].top_mut().next = Next::Guest { asked: false };
        crate::faults::after_call(self, core, api);
    }
}
