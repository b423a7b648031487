//! The emulated processors: one Unicorn instance per core, all on one host thread, all over the
//! same memory.
//!
//! Execution only ever stops *before* an instruction: in a code hook, in a block hook, or at an
//! instruction whose translation was refused. Stopping inside a memory hook would execute a load
//! or a store twice.

use std::collections::BTreeSet;
use std::ffi::c_void;

use isa::{Arch, Insn, Reg, RegisterAccess};
use unicorn_engine::hook::sys::{
    uc_emu_start, uc_emu_stop, uc_engine, uc_hook, uc_hook_add, uc_mem_map_ptr,
};
use unicorn_engine::{
    Arm64CpuModel, Context, HookType, MemType, Mode, Prot, TlbEntry, TlbType, Unicorn,
};

use super::code::{CodeTable, Span, split_operand};
use super::context::Loaded;
use super::memory::{FRAME_SIZE, Memory};
use super::page_set::PageSet;
use super::registers::LiveRegisters;
use crate::position::Position;
use crate::stop::Access;

mod cpu;
mod hooks;
mod updates;

use cpu::{Cpu, add_hook};
use hooks::{block_hook, code_hook, fill_hook, memory_hook, stop_hook};

/// How often the outside world may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Granularity {
    /// At kernel calls, lock operations, IRQL changes and interrupts.
    Sync,
    /// Also before every access to memory that another context can reach.
    Access,
    /// Before every instruction.
    Insn,
}

impl Granularity {
    /// All of them, coarsest first.
    pub const ALL: [Granularity; 3] = [Self::Sync, Self::Access, Self::Insn];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Access => "access",
            Self::Insn => "insn",
        }
    }

    /// The granularity of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }
}

/// What the engine watches while driver code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// What the granularity needs.
    Points,
    /// Everything: the path and every memory access are recorded. The run is the same.
    Recording,
    /// Nothing but kernel calls: what the emulator alone can do with this code. Instructions are
    /// not counted, so time stands still. For benchmarks.
    Nothing,
}

/// Why a core stopped. Its PC is at an instruction that has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It called into the kernel model: the trap address.
    Trap(u64),
    /// A scheduling point that was not passed quietly.
    Point,
    /// The same between the load and the store of a read-modify-write, none of which has been done.
    Between,
    /// The instruction needs the engine (`mov cr8`, `rdtsc`, `int`...) or someone asked to stop
    /// here.
    Stopped,
    /// A memory access has no translation: the page, and how it was accessed.
    Fault {
        /// First address of the 4 KiB page.
        page: u64,
        /// How.
        access: Access,
    },
    /// The processor raised an exception of its own (division by zero, undefined instruction).
    Exception,
    /// The instruction budget is used up.
    Deadline,
    /// As many instructions have retired as [`Engine::set_pause`] says. Nothing has been decided
    /// about the next one.
    Paused,
}

/// How much of what is to be decided about the instruction at the PC has been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing.
    No,
    /// What comes before it.
    Before,
    /// Also what comes between its two accesses, if it is a read-modify-write.
    Between,
}

impl Asked {
    /// Scheduling points that need not be asked about, at most.
    fn points(self) -> u64 {
        match self {
            Asked::No => 0,
            Asked::Before => 1,
            Asked::Between => 2,
        }
    }
}

impl From<bool> for Asked {
    fn from(before: bool) -> Asked {
        match before {
            true => Asked::Before,
            false => Asked::No,
        }
    }
}

/// One access to memory, recorded when a run is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// Machine-wide count of instructions retired once its instruction has, or would have if no
    /// other core came between.
    pub retired: u64,
    /// Of the load of a read-modify-write at whose store the schedule was asked again: choices
    /// answered before it. Its instruction retires later, as the core's next one.
    pub early: Option<u64>,
    /// The instruction.
    pub pc: u64,
    /// Address accessed.
    pub address: u64,
    /// Value stored, or found in memory before the load, zero-extended; 8 bytes at most.
    pub value: u64,
    /// Bytes accessed.
    pub width: u8,
    /// The core.
    pub core: u8,
    /// Whether it was a store.
    pub write: bool,
}

/// State that all cores' hooks share.
struct Shared {
    memory: *mut Memory,
    code: CodeTable,
    traps: std::ops::Range<u64>,
    retired: u64,
    deadline: u64,
    /// Instructions retired at which a run pauses.
    pause: u64,
    /// Whether scheduling points are choices now (something else could run).
    choosing: bool,
    /// Whether that is so also between the two accesses of a read-modify-write.
    split: bool,
    /// How many more points may be passed without asking.
    quiet: u64,
    /// How many might when that was said.
    granted: u64,
    /// The retired count at the last point that was passed so.
    last_point: u64,
    /// The next stop at exactly this address has been dealt with already.
    pass_at: u64,
    exit: Option<Exit>,
    refused: Option<(u64, Access)>,
    /// The core may not wait for pages, and what it touches of pageable ones is to be seen.
    guarded: bool,
    /// Cores and pages of which has been seen enough until they may wait again.
    allowed: Vec<(u8, u64)>,
    /// The run begins at this address, and so many points of the instruction there have been asked
    /// about already.
    asked_at: u64,
    asked: u64,
    /// The load of the first instruction has been recorded when it was made.
    loaded: bool,
    /// The point within the instruction begun last was passed quietly; the last point before.
    passed_between: Option<u64>,
    /// Block being executed, to take back what was counted too early.
    block: Counted,
    /// Whole blocks are counted, not single instructions.
    by_block: bool,
    /// Points are so rare that the instances that see blocks stop before them themselves.
    sync: bool,
    /// Of the current block, how many points to pass before one that is asked about; `None` if it
    /// has no such point.
    ahead: Option<u64>,
    /// The block about to be executed cannot be counted as a whole.
    crossing: bool,
    new_special: Option<u64>,
    accesses: Option<Vec<AccessRecord>>,
    /// Instructions retired when each choice was answered.
    marks: Option<Vec<u64>>,
    path: Option<Vec<(u8, u64)>>,
}

/// A block that was counted as a whole when it began, and the counts of before.
#[derive(Clone, Copy, Default)]
struct Counted {
    start: u64,
    end: u64,
    /// Points of the first instruction that had been asked about before, at most.
    asked: u64,
    retired: u64,
    quiet: u64,
    last_point: u64,
}

impl Shared {
    /// Points among the instructions of a span that are asked about or passed quietly.
    #[inline]
    fn points(&self, span: &Span) -> u64 {
        match self.choosing {
            true => span.points(self.split),
            false => 0,
        }
    }

    /// Points of the instruction at `address` that are asked about or passed quietly.
    fn points_at(&mut self, memory: &Memory, address: u64) -> u64 {
        match self.choosing {
            true => self.code.points(memory, address, self.split),
            false => 0,
        }
    }

    /// Counts a block as a whole that is about to be executed, with so many points to be passed.
    #[inline]
    fn count_block(&mut self, start: u64, span: &Span, asked: u64, points: u64) {
        self.ahead = None;
        self.asked_at = 0;
        self.block = Counted {
            start,
            end: start + span.length(),
            asked,
            retired: self.retired,
            quiet: self.quiet,
            last_point: self.last_point,
        };
        let last = self.retired + span.last_point();
        self.retired += span.count();
        self.pass(points, last);
    }

    /// Takes back what was counted within an instruction that did not complete.
    fn take_back(&mut self) {
        if let Some(last_point) = self.passed_between.take() {
            self.quiet += 1;
            self.last_point = last_point;
            if let Some(marks) = &mut self.marks {
                marks.pop();
            }
        }
    }

    /// Counts `points` points, the last of them behind `before` instructions.
    #[inline]
    fn pass(&mut self, points: u64, before: u64) {
        if points > 0 {
            self.quiet -= points;
            self.last_point = before;
        }
    }
}

/// What one core's hooks get.
struct HookContext {
    core: u8,
    shared: *mut Shared,
    /// The TLB may have entries for pageable pages.
    pageable: bool,
    /// The pages that it may have entries for.
    filled: PageSet,
}

/// Points to be passed quietly from which on the instance that sees blocks is worth the change.
const LONG: u64 = 32;

/// The emulated processors of one machine.
pub struct Engine {
    // Order matters: the instances are dropped before what their hooks point to.
    cpus: Vec<Cpu>,
    shared: Box<Shared>,
    arch: Arch,
    promised: bool,
    /// Addresses before which the instances that see blocks have been made to stop.
    hooked: BTreeSet<u64>,
}

// SAFETY: the raw pointers inside point into boxes that this value or its machine owns; nothing is
// shared between threads.
unsafe impl Send for Engine {}

impl Engine {
    /// `cores` processors over `memory`, which must stay where it is for the engine's life.
    /// `code` is the address range of all drivers, `traps` of the modelled modules' entry points.
    ///
    /// # Errors
    /// The emulator's own message if it cannot be set up.
    pub fn new(
        arch: Arch,
        cores: u8,
        memory: &mut Memory,
        code: std::ops::Range<u64>,
        traps: std::ops::Range<u64>,
        granularity: Granularity,
        watch: Watch,
    ) -> Result<Engine, String> {
        let recording = watch == Watch::Recording;
        let mut shared = Box::new(Shared {
            memory,
            code: CodeTable::new(arch, code.start, code.end, granularity),
            traps,
            retired: 0,
            deadline: u64::MAX,
            pause: u64::MAX,
            choosing: false,
            split: false,
            quiet: 0,
            granted: 0,
            last_point: 0,
            pass_at: 0,
            exit: None,
            refused: None,
            guarded: false,
            allowed: Vec::new(),
            asked_at: 0,
            asked: 0,
            loaded: false,
            passed_between: None,
            block: Counted::default(),
            by_block: false,
            sync: granularity == Granularity::Sync,
            ahead: None,
            crossing: false,
            new_special: None,
            accesses: recording.then(Vec::new),
            marks: recording.then(Vec::new),
            path: recording.then(Vec::new),
        });
        let cpus = (0..cores)
            .map(|core| Cpu::new(arch, core, &mut shared, watch))
            .collect::<Result<_, _>>()?;
        Ok(Engine {
            cpus,
            shared,
            arch,
            promised: false,
            hooked: BTreeSet::new(),
        })
    }

    /// The live registers of a core.
    pub fn registers(&self, core: usize) -> LiveRegisters {
        LiveRegisters {
            uc: self.cpus[core].live().uc.get_handle(),
            arch: self.arch,
        }
    }

    /// Instructions retired by all cores since the engine was made or [`Self::set_retired`].
    pub fn retired(&self) -> u64 {
        self.shared.retired
    }

    /// Sets the instruction count, when a snapshot is restored.
    pub fn set_retired(&mut self, retired: u64) {
        self.shared.retired = retired;
    }

    /// Ends [`Self::run`] when this many instructions have retired.
    pub fn set_deadline(&mut self, deadline: u64) {
        self.shared.deadline = deadline;
    }

    /// Ends [`Self::run`] when this many instructions have retired, in a way that leaves no trace:
    /// what runs on from there is what would have run without the pause.
    pub fn set_pause(&mut self, pause: u64) {
        self.shared.pause = pause;
    }

    /// Whether so many instructions have retired that execution pauses.
    pub fn pauses(&self) -> bool {
        self.shared.retired >= self.shared.pause
    }

    /// Says whether points are choices, and how many of them to pass without asking.
    ///
    /// `promised`: when that many have been passed, the next one is a deviation. `split`: there are
    /// points between the two accesses of a read-modify-write, too.
    pub fn set_choosing(&mut self, choosing: bool, split: bool, quiet: u64, promised: bool) {
        self.shared.choosing = choosing;
        self.shared.split = split;
        self.promised = promised;
        self.shared.quiet = quiet;
        self.shared.granted = quiet;
    }

    /// Whether a point just reached is the deviation that was promised.
    pub fn promise_kept(&self) -> bool {
        self.promised && self.shared.quiet == 0
    }

    /// Whether points are choices.
    pub fn is_choosing(&self) -> bool {
        self.shared.choosing
    }

    /// Whether it has been said how many points to pass, were it none before a deviation.
    pub fn promises(&self) -> bool {
        self.shared.choosing && (self.promised || self.shared.granted > 0)
    }

    /// Passes a point at which all cores have stopped, if there are any left to pass.
    pub fn pass_point(&mut self) -> bool {
        let s = &mut *self.shared;
        if s.quiet == 0 {
            return false;
        }
        s.pass(1, s.retired);
        self.mark_choice();
        true
    }

    /// Points passed quietly since [`Self::set_choosing`], and the retired count at the last one.
    pub fn passed(&self) -> (u64, u64) {
        let s = &self.shared;
        (s.granted - s.quiet, s.last_point)
    }

    /// The decoded instruction at `address`.
    pub fn insn(&self, address: u64) -> Option<Insn> {
        // SAFETY: the memory outlives the engine, and no core runs now.
        self.shared
            .code
            .insn(unsafe { &*self.shared.memory }, address)
    }

    /// Makes the instruction at `address` a scheduling point at `sync` granularity. Nothing has
    /// been executed yet.
    pub fn mark_racy(&mut self, address: u64) {
        self.shared.code.mark_racy(address);
    }

    /// Whether the instruction at `address` is a scheduling point.
    pub fn is_point(&self, address: u64) -> bool {
        // SAFETY: the memory outlives the engine, and no core runs now.
        let memory = unsafe { &*self.shared.memory };
        self.shared.code.would_be_point(memory, address)
    }

    /// Asks for [`Exit::Stopped`] before the instruction at `address`, or takes that back.
    pub fn set_break(&mut self, address: u64, on: bool) {
        self.shared.code.set_break(address, on);
        if on {
            self.hook_address(address);
        }
    }

    /// Forgets every core's translations; needed after pages were taken away. An instance does so
    /// when it executes next, since emptying a TLB costs more than many a stretch.
    pub fn flush_tlbs(&mut self) {
        for instance in self.cpus.iter_mut().flat_map(|cpu| &mut cpu.instances) {
            instance.stale = true;
        }
    }

    /// The same where nothing but these pages was taken away.
    pub fn forget_pages(&mut self, pages: &PageSet) {
        for instance in self.cpus.iter_mut().flat_map(|cpu| &mut cpu.instances) {
            instance.stale |= instance.context.filled.meets(pages);
        }
    }

    /// Says whether accesses of a core to pageable pages end [`Self::run`] with [`Exit::Fault`], as
    /// if the pages were not there. What its TLB knows of them is forgotten when that begins.
    pub fn set_guard(&mut self, core: usize, on: bool) {
        self.shared.guarded = on;
        if std::mem::replace(&mut self.cpus[core].guarded, on) == on || !on {
            return;
        }
        self.shared.allowed.retain(|(c, _)| usize::from(*c) != core);
        for instance in &mut self.cpus[core].instances {
            instance.stale |= std::mem::take(&mut instance.context.pageable);
        }
    }

    /// Lets a guarded core have the 4 KiB page at `va` for as long as it is guarded.
    pub fn allow(&mut self, core: usize, va: u64) {
        let page = va & !(FRAME_SIZE as u64 - 1);
        self.shared.allowed.push((core as u8, page));
    }

    /// Whether a core is guarded: what it has been allowed so far is no part of a snapshot.
    pub fn is_guarding(&self) -> bool {
        self.cpus.iter().any(|cpu| cpu.guarded)
    }

    /// No core is guarded yet.
    pub fn forget_guards(&mut self) {
        self.cpus.iter_mut().for_each(|cpu| cpu.guarded = false);
    }

    /// The accesses recorded so far.
    pub fn accesses(&self) -> &[AccessRecord] {
        self.shared.accesses.as_deref().unwrap_or_default()
    }

    /// The path executed so far: core and address of every instruction.
    pub fn path(&self) -> &[(u8, u64)] {
        self.shared.path.as_deref().unwrap_or_default()
    }

    /// Notes that a choice has been answered now.
    pub fn mark_choice(&mut self) {
        if let Some(marks) = &mut self.shared.marks {
            marks.push(self.shared.retired);
        }
    }

    /// The position at which `retired` instructions had retired, if the run is recorded.
    pub fn position_of(&self, retired: u64) -> Position {
        let marks = self.shared.marks.as_deref().unwrap_or_default();
        let choice = marks.partition_point(|&m| m < retired);
        let since = choice.checked_sub(1).map_or(0, |i| marks[i]);
        Position {
            choice: choice as u64,
            step: retired - since,
        }
    }

    /// The path, the accesses and the counts at the choices that were recorded.
    pub fn take_records(&mut self) -> (Vec<(u8, u64)>, Vec<AccessRecord>, Vec<u64>) {
        let s = &mut *self.shared;
        let path = s.path.take().unwrap_or_default();
        let accesses = s.accesses.take().unwrap_or_default();
        (path, accesses, s.marks.take().unwrap_or_default())
    }

    /// Instructions retired at a position, if the run is recorded.
    pub fn retired_at(&self, position: Position) -> u64 {
        let marks = self.shared.marks.as_deref().unwrap_or_default();
        let mark = position
            .choice
            .checked_sub(1)
            .map(|i| marks.get(i as usize));
        position.step + mark.flatten().copied().unwrap_or(0)
    }

    /// Drops what was recorded so far.
    pub fn clear_records(&mut self) {
        if let Some(m) = &mut self.shared.marks {
            m.clear();
        }
        if let Some(a) = &mut self.shared.accesses {
            a.clear();
        }
        if let Some(p) = &mut self.shared.path {
            p.clear();
        }
    }

    /// Makes the instances that see blocks stop before the instruction at `address`.
    fn hook_address(&mut self, address: u64) {
        if !self.hooked.insert(address) {
            return;
        }
        let instances = self.cpus.iter_mut().flat_map(|cpu| &mut cpu.instances);
        for instance in instances.filter(|i| i.by_block) {
            let context: *mut HookContext = &mut *instance.context;
            let handle = instance.uc.get_handle();
            add_hook(
                handle,
                HookType::CODE,
                stop_hook as *mut c_void,
                context,
                address,
                address,
            );
            let _ = instance.uc.ctl_remove_cache(address, address + 16);
            let _ = instance.uc.ctl_flush_tb();
        }
    }

    /// Sees to it that the instance that is best for what lies ahead executes the core, with no
    /// translation that has been taken away.
    fn choose_instance(&mut self, core: usize, exact: bool) {
        let s = &mut *self.shared;
        let cpu = &mut self.cpus[core];
        let near = exact || !s.sync && s.choosing && s.quiet < LONG;
        cpu.change(|instance| instance.by_block != near);
        s.by_block = cpu.live().by_block;
        let live = &mut cpu.instances[cpu.live];
        if std::mem::take(&mut live.stale) {
            let _ = live.uc.ctl_flush_tlb();
            live.context.filled = PageSet::default();
        }
    }

    /// Runs `core` until something needs the kernel or the schedule. `asked`: what has been decided
    /// about the instruction at the PC already, so that it is executed now.
    pub fn run(&mut self, core: usize, asked: impl Into<Asked>) -> Exit {
        let answered = asked.into().points();
        let mut resume = answered > 0;
        let mut exact = false;
        loop {
            self.choose_instance(core, exact);
            let live = self.registers(core);
            let begin = live.get(Reg::PC);
            let s = &mut *self.shared;
            s.exit = None;
            s.refused = None;
            s.block = Counted::default();
            s.ahead = None;
            s.pass_at = if resume { begin } else { 0 };
            s.asked_at = s.pass_at;
            s.asked = answered;
            // SAFETY: the engine owns the instance. `until` = 0 is no address that is reached.
            let result = unsafe { uc_emu_start(live.uc, begin, 0, 0, 0) };
            // A block that ends with a kernel call has been executed to its end.
            if self.shared.by_block && !matches!(self.shared.exit, Some(Exit::Trap(_))) {
                self.uncount(live.get(Reg::PC));
            }
            if std::mem::take(&mut self.shared.crossing) {
                (exact, resume) = (true, self.shared.asked_at != 0);
                continue;
            }
            if let Some(address) = self.shared.new_special.take() {
                self.hook_address(address);
                resume = self.shared.asked_at != 0;
                continue;
            }
            if let Some(exit) = self.shared.exit {
                return exit;
            }
            let fetched = !matches!(self.shared.refused, Some((_, Access::Execute)));
            if !self.shared.by_block && fetched && self.shared.retired > 0 {
                // It was counted on entry and did not complete.
                self.shared.retired -= 1;
                self.shared.take_back();
                if let Some(path) = &mut self.shared.path {
                    path.pop();
                }
            }
            if let (true, Some((page, access))) =
                (result != unicorn_engine::uc_error::OK, self.shared.refused)
            {
                return Exit::Fault { page, access };
            }
            return Exit::Exception;
        }
    }

    /// Takes back what was counted of the current block too early: it was left before `pc`.
    fn uncount(&mut self, pc: u64) {
        let s = &mut *self.shared;
        let b = s.block;
        if pc < b.start || b.end <= pc {
            return;
        }
        // SAFETY: the memory outlives the engine, and no core runs now.
        let memory = unsafe { &*s.memory };
        let done = s.code.span(memory, b.start, pc);
        s.retired = b.retired + done.count();
        (s.quiet, s.last_point) = (b.quiet, b.last_point);
        let (mut points, mut last) = (s.points(&done), done.last_point());
        if pc > b.start {
            points -= s.points_at(memory, b.start).min(b.asked);
        }
        // What began and could not be done has passed the point before it, and what is to be left
        // between two accesses as well.
        let began = matches!(s.exit, None | Some(Exit::Between));
        if began && !(b.asked > 0 && pc == b.start) && s.points_at(memory, pc) > 0 {
            (points, last) = (points + 1, done.count());
        }
        s.pass(points, b.retired + last);
    }
}
