//! The machine: cores, memory and the kernel's state.
//!
//! [`State`], together with the memory and the registers, is a plain value: [`Machine::snapshot`]
//! copies what was written since the last one, [`Machine::restore`] puts it back, and nothing of a
//! run hides in closures or on the host's stack.

mod boot;
mod boot_error;
mod code;
pub mod context;
mod deadlock;
mod engine;
#[cfg(test)]
mod engine_tests;
mod exec;
mod fault;
mod irql;
mod journal;
pub mod layout;
pub mod memory;
mod options;
mod page_set;
mod registers;
mod unwind;
mod view;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use twox_hash::XxHash3_64;

use isa::{Arch, Atomic, IrqlTable, Profile, Reg, RegisterAccess, Registers};

pub(crate) use boot::boot_driver;
pub use boot::{Driver, boot, boot_from_start};
pub use boot_error::{BootError, MissingImport};
pub use engine::{AccessRecord, Granularity, Watch};
pub use exec::Ended;
pub use journal::KernelStore;
pub use registers::LiveRegisters;

use crate::choice::{Questions, World};
use crate::loader::Image;
use crate::nt::{self, Api};
use crate::personality::Personality;
use crate::position::Position;
use crate::scenario::Plan;
use crate::trace::{Event, EventKind, Recorder};
use context::{Core, Next};
use engine::Engine;
use layout::AddressMap;
use memory::{Memory, MemoryImage, Stale};

/// Instructions per 100 ns of virtual time: a core of 50 MIPS, of the time of the founding cases.
pub const INSTRUCTIONS_PER_TICK: u64 = 5;

/// Instructions from an exclusive load to its store, at most: architecture and compilers keep them
/// close together, in straight code [Arm ARM, load-exclusive and store-exclusive usage restrictions].
const EXCLUSIVE_REACH: u64 = 16;

/// A module of the system: a loaded driver, or one that the kernel model stands for.
#[derive(Clone)]
pub struct LoadedModule {
    /// File name.
    pub name: String,
    /// First address.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// `TimeDateStamp` of its header.
    pub timestamp: u32,
    /// The driver's image, unless the module is modelled.
    pub image: Option<Arc<Image>>,
}

/// A function that drivers import, at its trap address.
#[derive(Clone, Copy)]
pub struct ImportSlot {
    /// Address that the import tables hold.
    pub address: u64,
    /// The modelled function.
    pub api: &'static Api,
    /// What it touches.
    pub effect: nt::effect::Kind,
}

/// What never changes after the boot.
pub struct Setup {
    /// Profile.
    pub profile: Profile,
    /// Personality.
    pub personality: Personality,
    /// Granularity of choices.
    pub granularity: Granularity,
    /// Kinds of choices that are none.
    pub world: World,
    /// Modules in load order.
    pub modules: Vec<LoadedModule>,
    /// Imported functions by index.
    pub imports: Vec<ImportSlot>,
    /// Import index by trap address.
    pub import_at: BTreeMap<u64, u32>,
    /// Trap address to which driver code entered by the kernel returns.
    pub return_trap: u64,
    /// Where things are.
    pub map: AddressMap,
    /// What the run consists of.
    pub plan: Plan,
    /// The faults that the plan injects.
    pub faults: crate::faults::Faults,
    /// Whether accesses to pageable memory at DISPATCH_LEVEL and above are seen.
    pub watches_pages: bool,
}

/// The changing part of a machine besides memory and registers. A plain value.
#[derive(Clone, Hash)]
pub struct State {
    /// The cores.
    pub cores: Vec<Core>,
    /// The core that ran last.
    pub current: u8,
    /// The kernel's objects.
    pub nt: nt::Kernel,
    /// Choices answered so far.
    pub choices: u64,
    /// Instructions retired when the last choice was answered.
    pub choice_at: u64,
    /// Virtual time skipped while everything idled, in 100 ns.
    pub skipped: u64,
    /// Of that, what was skipped since a thread ran or a packet moved.
    pub idle: u64,
    /// Whether choices are made at all: not during the boot.
    pub choosing: bool,
    /// Instructions retired when the boot was over.
    pub booted: u64,
    /// The run was paused in the middle of what a core does.
    pub(crate) paused: Option<Paused>,
    /// Bytes of the shared region in use for kernel objects.
    pub shared_used: u64,
    /// What each fault rule has seen so far.
    pub faults: Vec<crate::faults::Progress>,
    /// What the checks of the rules remember.
    pub(crate) checks: crate::rules::Checks,
}

impl State {
    /// Something else than a timer has happened.
    pub fn lively(&mut self) {
        self.idle = 0;
    }
}

/// Where a run goes on that was paused before an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Paused {
    /// The core that executes it.
    core: u8,
    /// The step is no decision: the core that ran last before it.
    unseen: Option<u8>,
}

/// A machine at one moment. Cloning is cheap; see [`Machine::restore`].
#[derive(Clone)]
pub struct Snapshot {
    state: State,
    memory: MemoryImage,
    registers: Vec<Registers>,
    retired: u64,
    recorder: Recorder,
}

/// What was recorded of a run.
pub struct Log {
    /// The events and their stacks.
    pub recorder: Recorder,
    /// What was asked, and what was answered.
    pub questions: Questions,
    /// Core and address of every instruction, in the order in which they retired.
    pub path: Vec<(u8, u64)>,
    /// Every access to memory by drivers, in order.
    pub accesses: Vec<AccessRecord>,
    /// Every store that the kernel made, in order.
    pub kernel_stores: Vec<KernelStore>,
    /// Instructions retired when each choice was answered.
    pub marks: Vec<u64>,
}

/// A machine that runs.
pub struct Machine {
    // The engine's hooks point into the memory: it is dropped first.
    engine: Engine,
    /// Guest memory.
    pub memory: Box<Memory>,
    /// Everything else that changes.
    pub state: State,
    /// What does not.
    pub setup: Arc<Setup>,
    /// What happened.
    pub recorder: Recorder,
    /// Called before and after driver code runs, if somebody measures.
    pub stopwatch: Option<fn(bool)>,
    /// What was asked, if events are kept.
    questions: Questions,
    /// What the kernel wrote, if events are kept.
    kernel_stores: Vec<KernelStore>,
    /// Answers the choices that arise inside kernel functions, and records all answers.
    decider: exec::Decider,
}

impl Machine {
    /// The architecture.
    pub fn arch(&self) -> Arch {
        self.setup.profile.arch()
    }

    /// The profile's IRQL table.
    pub fn irqls(&self) -> &'static IrqlTable {
        self.setup.profile.irql()
    }

    /// Number of cores.
    pub fn cpus(&self) -> u8 {
        self.state.cores.len() as u8
    }

    /// Where in the run the machine is.
    pub fn position(&self) -> Position {
        Position {
            choice: self.state.choices,
            step: self.engine.retired() - self.state.choice_at,
        }
    }

    /// Instructions retired by all cores.
    pub fn retired(&self) -> u64 {
        self.engine.retired()
    }

    /// Virtual time since power-on, in 100 ns.
    pub fn now(&self) -> u64 {
        self.state.skipped + self.engine.retired() / INSTRUCTIONS_PER_TICK
    }

    /// The machine as a value.
    pub fn snapshot(&mut self) -> Snapshot {
        let registers = (0..self.state.cores.len()).map(|c| self.engine.registers(c).save());
        let registers = registers.collect();
        let memory = self.memory.snapshot();
        // From now on every store to a page that the snapshot shares must be heard of.
        self.flush();
        Snapshot {
            registers,
            state: self.state.clone(),
            memory,
            retired: self.engine.retired(),
            recorder: self.recorder.clone(),
        }
    }

    /// Whether a snapshot taken now is all of the machine: no core is guarded or holds an exclusive
    /// reservation, of which registers know nothing.
    pub(crate) fn can_be_kept(&self) -> bool {
        !self.engine.is_guarding() && !self.holds_reservation()
    }

    /// Whether what a core does is between an exclusive load and its store.
    fn holds_reservation(&self) -> bool {
        if self.arch() != Arch::Arm64 {
            return false;
        }
        let contexts = self.state.cores.iter().enumerate();
        let mut places = contexts.flat_map(|(core, c)| {
            let live = self.engine.registers(core).get(Reg::PC);
            let saved = c.contexts.iter().filter_map(|x| x.registers.as_ref());
            saved.map(|r| r.pc).chain([live])
        });
        places.any(|pc| {
            let before = (1..=EXCLUSIVE_REACH).map(|n| pc.wrapping_sub(4 * n));
            let mut atomics = before.map_while(|at| self.insn(at)).map(|insn| insn.atomic);
            let nearest = atomics.find(|a| {
                matches!(
                    a,
                    Atomic::LoadExclusive | Atomic::StoreExclusive | Atomic::ClearExclusive
                )
            });
            nearest == Some(Atomic::LoadExclusive)
        })
    }

    /// Makes the machine equal to `snapshot`, which must come from this machine or one booted
    /// alike.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.memory.restore(&snapshot.memory);
        let before = std::mem::replace(&mut self.state, snapshot.state.clone());
        // Where the engine stops for faults follows from the state.
        let left = before.faults.iter().flat_map(|f| f.stops());
        left.for_each(|at| self.stop_no_more(at));
        let again: Vec<u64> = self.state.faults.iter().flat_map(|f| f.stops()).collect();
        again.into_iter().for_each(|at| self.stop_at(at));
        self.recorder = snapshot.recorder.clone();
        for (core, registers) in snapshot.registers.iter().enumerate() {
            self.engine.registers(core).load(registers);
        }
        self.engine.set_retired(snapshot.retired);
        self.engine.clear_records();
        self.engine.forget_guards();
        self.questions.clear();
        self.kernel_stores.clear();
        self.flush();
    }

    /// Whether the fault of this rule of the plan has struck.
    pub fn has_struck(&self, rule: usize) -> bool {
        self.state.faults.get(rule).is_some_and(|p| p.struck > 0)
    }

    /// A hash over all that decides what the machine does next: state, memory, registers, and what
    /// has happened so far. Equal for equal machines of one build of the program; a build may differ
    /// from another.
    pub fn digest(&self) -> u64 {
        let mut hasher = XxHash3_64::new();
        self.state.hash(&mut hasher);
        self.memory.hash_into(&mut hasher);
        for core in 0..self.state.cores.len() {
            self.engine.registers(core).save().hash(&mut hasher);
        }
        (self.engine.retired(), self.recorder.hash()).hash(&mut hasher);
        hasher.finish()
    }

    /// The registers of a core: live, or saved if its context is not loaded.
    pub fn registers(&self, core: usize) -> Registers {
        match &self.state.cores[core].top().registers {
            Some(saved) => (**saved).clone(),
            None => self.engine.registers(core).save(),
        }
    }

    /// The live registers of a core whose topmost context is loaded.
    pub fn live_registers(&self, core: usize) -> LiveRegisters {
        self.engine.registers(core)
    }

    /// Asks the engine to stop before the instruction at `address`, from now on.
    pub(crate) fn stop_at(&mut self, address: u64) {
        self.engine.set_break(address, true);
    }

    /// Takes that back, unless a fault rule still has something to do there.
    pub(crate) fn stop_no_more(&mut self, address: u64) {
        let mut stops = self.state.faults.iter().flat_map(|f| f.stops());
        let mut places = self.setup.faults.places();
        if !stops.any(|at| at == address) && !places.any(|at| at == address) {
            self.engine.set_break(address, false);
        }
    }

    /// The kernel function that a driver has called and that is at work now.
    pub(crate) fn current_call(&self) -> Option<&'static Api> {
        let caller = self.decider.caller?;
        Some(self.setup.imports[caller.import as usize].api)
    }

    /// When, in 100 ns since power-on, something happens by the passage of time alone: a timer is
    /// due, a core that stands still goes on, a core hears of its DPCs.
    pub(crate) fn next_event(&self) -> Option<u64> {
        let timer = self.state.nt.timers.next_due();
        if self.state.faults.is_empty() {
            return timer;
        }
        let now = self.now();
        let stalls = self.state.cores.iter().map(|c| c.stalled);
        let late = (0..self.cpus()).map(|core| self.state.nt.dpcs.late_until(core));
        let waits = stalls.chain(late).filter(|&until| until > now);
        waits.chain(timer).min()
    }

    /// Whether a core stands still.
    pub(crate) fn is_stalled(&self, core: usize) -> bool {
        let until = self.state.cores[core].stalled;
        until != 0 && until > self.now()
    }

    /// Records an event on a core.
    pub fn event(&mut self, core: usize, kind: EventKind) {
        let pc = self.caller_address(core);
        self.event_from(core, pc, kind);
    }

    /// Records an event on a core that the code at `pc` has caused.
    pub(crate) fn event_from(&mut self, core: usize, pc: u64, kind: EventKind) {
        let c = &self.state.cores[core];
        let (number, irql) = (c.number, c.irql);
        let at = self.position();
        let event = Event {
            at,
            core: number,
            irql,
            pc,
            kind,
        };
        if self.recorder.wants_stack(&event) {
            let mut stack: Vec<u64> = self.backtrace(core).into_iter().map(|f| f.pc).collect();
            // Whoever reads the stack looks for a call before each address.
            if let Some(innermost) = stack.first_mut().filter(|innermost| **innermost == pc) {
                *innermost += 1;
            }
            self.recorder.record(event, Some(stack));
        } else {
            self.recorder.record(event, None);
        }
    }

    /// The guest address on whose behalf the core works: inside the call instruction of the kernel
    /// call in progress (its last byte), the PC of running driver code, 0 if none.
    pub fn caller_address(&self, core: usize) -> u64 {
        let context = self.state.cores[core].top();
        let inside = |return_address: u64| return_address.saturating_sub(1);
        match &context.next {
            Next::Guest { .. } | Next::Update(_) | Next::Special if context.registers.is_none() => {
                self.engine.registers(core).get(Reg::PC)
            }
            Next::Call(_) => {
                let live = self.engine.registers(core);
                inside(isa::return_address(self.arch(), &live, &*self.memory).unwrap_or(0))
            }
            _ => match self.decider.caller.or(context.waiting()) {
                Some(caller) => inside(caller.return_address),
                None => 0,
            },
        }
    }

    /// The entry point of a modelled function, as drivers import it.
    pub fn address_of(&self, api: &Api) -> u64 {
        let slot = self.setup.imports.iter().find(|s| s.api.name == api.name);
        slot.map_or(self.setup.modules[0].base, |s| s.address)
    }

    /// A short name for a place in code: its function, or module and offset.
    pub fn place(&self, va: u64) -> String {
        let Some(i) = self.module_at(va) else {
            return format!("{va:#x}");
        };
        let module = &self.setup.modules[i];
        match module.image.as_ref().and_then(|image| image.function(va)) {
            Some(function) => function,
            None => format!("{}+{:#x}", module.name, va - module.base),
        }
    }

    /// The module that an address lies in, by index in [`Setup::modules`].
    pub fn module_at(&self, va: u64) -> Option<usize> {
        self.setup
            .modules
            .iter()
            .position(|m| va.wrapping_sub(m.base) < m.size)
    }

    /// Whether an address lies in a loaded driver.
    pub fn in_driver(&self, va: u64) -> Option<usize> {
        self.module_at(va)
            .filter(|&i| self.setup.modules[i].image.is_some())
    }

    /// Empties the cores' TLBs if translations were taken away.
    fn flush(&mut self) {
        match self.memory.take_stale() {
            Stale::Nothing => {}
            Stale::Pages(pages) => self.engine.forget_pages(&pages),
            Stale::All => self.engine.flush_tlbs(),
        }
    }

    /// The memory accesses recorded in this run, if the machine was booted recording.
    pub fn accesses(&self) -> &[AccessRecord] {
        self.engine.accesses()
    }

    /// The path recorded in this run: core and address of every instruction executed.
    pub fn path(&self) -> &[(u8, u64)] {
        self.engine.path()
    }

    /// The position at which so many instructions had retired, if the run is recorded.
    pub fn position_of(&self, retired: u64) -> Position {
        self.engine.position_of(retired)
    }

    /// What was recorded of the run; the machine is gone.
    pub fn into_log(mut self) -> Log {
        let (path, accesses, marks) = self.engine.take_records();
        Log {
            recorder: self.recorder,
            questions: self.questions,
            kernel_stores: self.kernel_stores,
            path,
            accesses,
            marks,
        }
    }

    /// The position of a recorded access: behind its instruction, or if other cores could come
    /// between its load and its store, before the load.
    pub fn position_of_access(&self, access: &AccessRecord) -> Position {
        match access.early {
            None => self.engine.position_of(access.retired),
            Some(choice) => {
                let since = Position { choice, step: 0 };
                let step = access.retired - 1 - self.engine.retired_at(since);
                Position { choice, step }
            }
        }
    }

    /// The index in the path of the instruction that made an access at this position.
    pub fn path_index(&self, at: Position, core: u8, pc: u64) -> Option<usize> {
        let retired = self.engine.retired_at(at) as usize;
        let path = self.path();
        let last = retired
            .checked_sub(1)
            .filter(|&i| path.get(i) == Some(&(core, pc)));
        // A load that came before its instruction: that is the core's next.
        last.or_else(|| {
            let later = path.get(retired..)?.iter();
            let next = retired + later.clone().position(|(c, _)| *c == core)?;
            (path[next].1 == pc).then_some(next)
        })
    }

    /// Instructions retired at a position, if the run is recorded.
    pub fn retired_at(&self, position: Position) -> u64 {
        self.engine.retired_at(position)
    }

    /// The decoded instruction at `address`.
    pub fn insn(&self, address: u64) -> Option<isa::Insn> {
        self.engine.insn(address)
    }
}
