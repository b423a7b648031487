//! From a plan and the drivers' bytes to a machine that has called every `DriverEntry` and is
//! ready for the workload.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use isa::{Arch, MemMut, Reg, RegisterAccess};

use super::boot_error::{BootError, MissingImport};
use super::context::{Context, ContextKind, Core, Next, Outcome};
use super::engine::{Engine, Watch};
use super::exec::Decider;
use super::layout::{self, IMAGE_ALIGNMENT};
use super::memory::{FRAME_SIZE, Memory, RegionKind, Rights};
use super::{ImportSlot, LoadedModule, Machine, Setup, Snapshot, State};
use crate::choice::{Questions, Scope, strategy};
use crate::faults::Faults;
use crate::loader::Image;
use crate::nt::{
    self, Call, Done, Kernel, Module, Then, dispatcher, dpc, effect, io, ndis, pool, registry,
};
use crate::nt::{spin_lock, thread, timer};
use crate::scenario::Plan;
use crate::stop::Stop;
use crate::trace::Recorder;

/// A driver to boot with: its image, with symbols if there are any, and its service key.
#[derive(Clone)]
pub struct Driver {
    /// The parsed file.
    pub image: Image,
    /// Name of its key under `Services`.
    pub service: String,
}

/// Bytes a trap entry takes.
const TRAP_SIZE: u64 = 16;
/// First trap behind the base of a module, where its headers would be.
const TRAPS_AT: u64 = 0x1000;
/// Bytes in a core's processor control region.
const PCR_SIZE: u64 = 0x2000;
/// The thread that calls every `DriverEntry`: the first one.
const BOOT_THREAD: u32 = 0;
/// Bytes of kernel objects that the model keeps in guest memory.
const SHARED_SIZE: u64 = 0x8000;

/// Boots a machine. With [`Watch::Recording`] it keeps events, stacks and memory accesses, for
/// explaining a run.
///
/// # Errors
/// See [`BootError`].
pub fn boot(
    plan: &Plan,
    drivers: &[Driver],
    scope: impl Into<Scope>,
    watch: Watch,
) -> Result<Machine, BootError> {
    let mut machine = power_on(plan, drivers, scope.into(), watch)?;
    machine.run_boot(drivers)?;
    Ok(machine)
}

/// The same for who also wants the machine as it was before the first `DriverEntry`.
///
/// # Errors
/// See [`BootError`].
pub fn boot_from_start(
    plan: &Plan,
    drivers: &[Driver],
    scope: impl Into<Scope>,
    watch: Watch,
) -> Result<(Machine, Snapshot), BootError> {
    let mut machine = power_on(plan, drivers, scope.into(), watch)?;
    let start = machine.snapshot();
    machine.run_boot(drivers)?;
    Ok((machine, start))
}

/// A machine whose boot thread is about to call the first `DriverEntry`.
fn power_on(
    plan: &Plan,
    drivers: &[Driver],
    scope: Scope,
    watch: Watch,
) -> Result<Machine, BootError> {
    let Scope {
        granularity,
        world,
        racy,
    } = scope;
    let profile = plan.profile;
    let map = layout::map(profile, plan.personality);
    let (modules, imports) = place(plan, drivers)?;
    let frames = frames_needed(plan, &modules);
    let mut memory = Box::new(Memory::new(frames));
    let code = modules.iter().filter(|m| m.image.is_some());
    let code_range = Range {
        start: code.clone().map(|m| m.base).min().unwrap_or(map.drivers),
        end: code
            .map(|m| m.base + m.size)
            .max()
            .unwrap_or(map.drivers + 1),
    };
    let traps = map.modules[0]..map.modules[3] + map.module_size;
    let mut engine = Engine::new(
        profile.arch(),
        plan.cpus,
        &mut memory,
        code_range,
        traps,
        granularity,
        watch,
    )
    .map_err(BootError::Engine)?;
    racy.iter().for_each(|&address| engine.mark_racy(address));
    let import_at = imports
        .iter()
        .enumerate()
        .map(|(i, s)| (s.address, i as u32))
        .collect();
    let faults =
        Faults::new(&plan.faults, profile, plan.cpus, &modules).map_err(BootError::Fault)?;
    let setup = Setup {
        profile,
        personality: plan.personality,
        granularity,
        world,
        modules,
        imports,
        import_at,
        return_trap: map.modules[0] + TRAPS_AT,
        map,
        plan: plan.clone(),
        faults,
        watches_pages: crate::rules::page::watched(&plan.rules, watch == Watch::Recording),
    };
    let kernel = Kernel {
        locks: spin_lock::Locks::default(),
        waits: dispatcher::Waits::default(),
        dpcs: dpc::Dpcs::new(plan.cpus),
        timers: timer::Timers::default(),
        threads: thread::Threads::default(),
        pools: pool::Pools::default(),
        io: io::Io::default(),
        registry: registry::Registry::new(&plan.registry),
        net: ndis::Net::new(plan),
    };
    let state = State {
        cores: Vec::new(),
        current: 0,
        nt: kernel,
        choices: 0,
        choice_at: 0,
        skipped: 0,
        idle: 0,
        choosing: false,
        paused: None,
        booted: 0,
        faults: vec![Default::default(); plan.faults.len()],
        checks: crate::rules::Checks::new(plan.cpus),
        shared_used: 0x1000,
    };
    let mut machine = Machine {
        engine,
        memory,
        state,
        setup: Arc::new(setup),
        recorder: Recorder::new(watch == Watch::Recording),
        stopwatch: None,
        questions: Questions::default(),
        kernel_stores: Vec::new(),
        decider: Decider::default(),
    };
    machine.map_everything()?;
    machine.start_cores();
    nt::misc::variable::initialize(&mut machine);
    let setup = machine.setup.clone();
    setup.faults.places().for_each(|at| machine.stop_at(at));
    if watch == Watch::Recording {
        machine.keep_journal();
    }
    machine.create_boot_thread(drivers);
    Ok(machine)
}

/// Gives every module its place and every import its trap.
fn place(
    plan: &Plan,
    drivers: &[Driver],
) -> Result<(Vec<LoadedModule>, Vec<ImportSlot>), BootError> {
    let map = layout::map(plan.profile, plan.personality);
    let mut modules: Vec<LoadedModule> = Module::ALL
        .iter()
        .zip(map.modules)
        .map(|(module, base)| LoadedModule {
            name: module.name().into(),
            base,
            size: map.module_size,
            timestamp: 0,
            image: None,
        })
        .collect();
    // The first trap of the kernel is where entered driver code returns to.
    let mut next: BTreeMap<Module, u64> = Module::ALL
        .iter()
        .zip(map.modules)
        .map(|(&m, base)| (m, base + TRAPS_AT + TRAP_SIZE))
        .collect();
    let mut slots: Vec<ImportSlot> = Vec::new();
    let mut base = map.drivers;
    for driver in drivers {
        let mut image = driver.image.clone();
        let name = image.name.clone();
        if image.arch != plan.profile.arch() {
            let (found, profile) = (image.arch, plan.profile);
            return Err(BootError::WrongMachine {
                driver: name,
                found,
                profile,
            });
        }
        image.relocate(base).map_err(|error| BootError::Load {
            driver: name.clone(),
            error,
        })?;
        let mut missing = Vec::new();
        for import in image.imports.clone() {
            if let Some(offset) = nt::misc::variable::offset(&import.name) {
                image.bind(import.slot_rva, map.shared + offset);
                continue;
            }
            let Some(api) = nt::find(&import.name) else {
                let callers = callers(&image, image.base + u64::from(import.slot_rva));
                missing.push(MissingImport {
                    module: import.module,
                    name: import.name,
                    callers,
                });
                continue;
            };
            let known = slots
                .iter()
                .find(|s| std::ptr::eq(s.api, api))
                .map(|s| s.address);
            let address = known.unwrap_or_else(|| {
                let at = next.get_mut(&api.module).expect("every module has traps");
                let address = *at;
                *at += TRAP_SIZE;
                slots.push(ImportSlot {
                    address,
                    api,
                    effect: effect::of(api),
                });
                address
            });
            image.bind(import.slot_rva, address);
        }
        if !missing.is_empty() {
            return Err(BootError::Imports {
                driver: name,
                missing,
            });
        }
        let size = image.data.len() as u64;
        modules.push(LoadedModule {
            name,
            base,
            size,
            timestamp: image.timestamp,
            image: Some(Arc::new(image)),
        });
        base = (base + size).next_multiple_of(IMAGE_ALIGNMENT) + IMAGE_ALIGNMENT;
    }
    Ok((modules, slots))
}

/// Functions, with source lines, that use the import slot at `slot`: by its absolute or
/// pc-relative address, or (AArch64) by an address that the instruction before completes.
fn callers(image: &Image, slot: u64) -> Vec<String> {
    let decoder = isa::Decoder::new(image.arch);
    let mut found = Vec::new();
    for section in image.sections.iter().filter(|s| s.execute) {
        let from = section.rva as usize;
        let Some(code) = image.data.get(from..from + section.size as usize) else {
            continue;
        };
        let mut constants: BTreeMap<Reg, u64> = BTreeMap::new();
        let mut at = 0;
        while at < code.len() {
            let va = image.base + (from + at) as u64;
            let Some(insn) = decoder.decode(&code[at..], va) else {
                at += if image.arch == Arch::Arm64 { 4 } else { 1 };
                continue;
            };
            let uses = insn.operands().any(|m| {
                let base = match m.base {
                    None => Some(0),
                    Some(base) => constants.get(&base).copied(),
                };
                m.index.is_none() && base.is_some_and(|b| b.wrapping_add(m.disp as u64) == slot)
            });
            if uses {
                // The function that it was all inlined into: wrappers call for others.
                let place = match image.source(va).last() {
                    Some(s) => format!("{} ({}:{})", s.function, s.file, s.line),
                    None => format!("{}+{:#x}", image.name, va - image.base),
                };
                if !found.contains(&place) {
                    found.push(place);
                }
            }
            match insn.def {
                isa::Def::Const { dst, value } => {
                    constants.insert(dst, value);
                }
                _ => constants.retain(|r, _| !insn.writes.contains(*r)),
            }
            at += usize::from(insn.len.max(1));
        }
    }
    found
}

fn stack_size(profile: isa::Profile) -> u64 {
    // KERNEL_STACK_SIZE: 12 KiB on x86, 24 KiB on x64; the others round up to their pages.
    let bytes: u64 = if profile.pointer_size() == 4 {
        0x3000
    } else {
        0x6000
    };
    bytes.next_multiple_of(profile.page_size())
}

/// Threads a machine can have in a run; each has a stack of its own.
const THREADS_MAX: u64 = 64;

fn frames_needed(plan: &Plan, modules: &[LoadedModule]) -> u32 {
    let stacks = (THREADS_MAX + 2 * u64::from(plan.cpus))
        * (stack_size(plan.profile) + plan.profile.page_size());
    let pools = plan.memory.nonpaged_pool + plan.memory.paged_pool;
    let images: u64 = modules.iter().map(|m| m.size).sum();
    let fixed = SHARED_SIZE + PCR_SIZE * u64::from(plan.cpus);
    // Each region may round up by a frame.
    let user = io::request::frames(&plan.threads) as u64;
    ((stacks + pools + images + fixed) / FRAME_SIZE as u64 + user + 64 + modules.len() as u64)
        as u32
}

impl Machine {
    fn map_everything(&mut self) -> Result<(), BootError> {
        let setup = self.setup.clone();
        let map = setup.map;
        let pages = |bytes: u64| (bytes as usize).div_ceil(FRAME_SIZE);
        let mut ok = true;
        for (i, module) in setup.modules.iter().enumerate() {
            let Some(image) = &module.image else {
                let kind = RegionKind::Traps(i as u16);
                ok &= self.memory.map(
                    module.base,
                    pages(module.size),
                    kind,
                    Rights::EXECUTE,
                    false,
                );
                self.fill_traps(module.base, module.size);
                continue;
            };
            let kind = RegionKind::Image(i as u16);
            ok &= self
                .memory
                .map(module.base, pages(module.size), kind, Rights::READ, false);
            ok &= self.memory.write(module.base, &image.data);
            for section in &image.sections {
                let at = module.base + u64::from(section.rva);
                let rights = Rights {
                    write: section.write,
                    execute: section.execute,
                };
                self.memory.change_pages(at, u64::from(section.size), |p| {
                    // Two small sections may share a page: what either may do is allowed.
                    p.rights.write |= rights.write;
                    p.rights.execute |= rights.execute;
                    p.pageable |= section.pageable;
                });
            }
        }
        let cpus = u64::from(setup.plan.cpus);
        for core in 0..cpus {
            let at = self.pcr_address(core);
            let kind = RegionKind::Pcr(core as u8);
            ok &= self
                .memory
                .map(at, pages(PCR_SIZE), kind, Rights::WRITE, false);
        }
        ok &= self.memory.map(
            map.shared,
            pages(SHARED_SIZE),
            RegionKind::Shared,
            Rights::WRITE,
            false,
        );
        let sizes = setup.plan.memory;
        ok &= pool::map(self, sizes.nonpaged_pool, sizes.paged_pool);
        for number in 0..THREADS_MAX + 2 * cpus {
            ok &= self.map_stack(number);
        }
        ok &= io::request::map_windows(self);
        if ok { Ok(()) } else { Err(BootError::Memory) }
    }

    /// What stands at the entry points of the modelled modules is never executed: a return.
    fn fill_traps(&mut self, base: u64, size: u64) {
        let unit: &[u8] = match self.arch() {
            Arch::Arm64 => &[0xC0, 0x03, 0x5F, 0xD6],
            Arch::X86 | Arch::X64 => &[0xC3],
        };
        let bytes: Vec<u8> = unit.iter().copied().cycle().take(size as usize).collect();
        self.memory.write(base, &bytes);
    }

    fn pcr_address(&self, core: u64) -> u64 {
        // Core 0 has the well-known address on x86; the others lie below it.
        let base = self.setup.map.pcrs;
        match self.arch() {
            Arch::X86 if core == 0 => base & !0x1FFF,
            Arch::X86 => self.setup.map.stacks - 0x10_0000 + core * PCR_SIZE,
            _ => base + core * PCR_SIZE,
        }
    }

    fn stack_top(&self, number: u64) -> u64 {
        let guard = self.setup.profile.page_size();
        let each = stack_size(self.setup.profile) + guard;
        self.setup.map.stacks + (number + 1) * each
    }

    /// A stack with a guard page below it.
    fn map_stack(&mut self, number: u64) -> bool {
        let guard = self.setup.profile.page_size();
        let each = stack_size(self.setup.profile) + guard;
        let base = self.stack_top(number) - each;
        let pages = (each as usize) / FRAME_SIZE;
        let kind = RegionKind::Stack(number as u16);
        let ok = self.memory.map(base, pages, kind, Rights::WRITE, false);
        self.memory.change_pages(base, guard, |p| p.valid = false);
        ok
    }

    /// The first address behind the kernel stack of a thread.
    pub(crate) fn kernel_stack(&self, thread: u32) -> u64 {
        let cpus = u64::from(self.setup.plan.cpus);
        // A machine with more threads than stacks reuses those of threads that have ended long
        // ago; the limit is generous.
        self.stack_top(2 * cpus + u64::from(thread) % THREADS_MAX)
    }

    /// Room for a kernel object that drivers only hold the address of.
    pub(crate) fn kernel_object(&mut self, size: u64) -> u64 {
        let at = self.setup.map.shared + self.state.shared_used;
        self.state.shared_used += size.next_multiple_of(16);
        // Objects of threads long gone are overwritten rather than run out of room.
        if self.state.shared_used + 0x100 > SHARED_SIZE {
            self.state.shared_used = 0x1000;
        }
        at
    }

    fn start_cores(&mut self) {
        for number in 0..self.setup.plan.cpus {
            let n = u64::from(number);
            let pcr = self.pcr_address(n);
            let (dpc_stack, interrupt_stack) = (self.stack_top(2 * n), self.stack_top(2 * n + 1));
            self.state.cores.push(Core {
                number,
                irql: 0,
                contexts: vec![Context::new(ContextKind::Idle, Next::Idle, dpc_stack, 0)],
                pcr,
                dpc_stack,
                interrupt_stack,
                stalled: 0,
            });
            self.write_pcr(number, pcr);
            let mut live = self.engine.registers(usize::from(number));
            match self.arch() {
                // KPCR is at the end of the page before the PRCB; FS points at it.
                Arch::X86 => live.set(Reg::SEGMENT_BASE, pcr),
                Arch::X64 => live.set(Reg::SEGMENT_BASE, pcr),
                Arch::Arm64 => live.set(Reg(18), pcr),
            }
        }
    }

    /// Fields of the KPCR that drivers read without a call. Offsets: public ntddk.h (x86), and
    /// public symbols of the 64-bit kernels.
    fn write_pcr(&mut self, number: u8, pcr: u64) {
        let arch = self.arch();
        match arch {
            Arch::X86 => {
                self.memory.write_ptr(arch, pcr + 0x1C, pcr);
                self.memory.write_ptr(arch, pcr + 0x20, pcr + 0x120);
                self.memory.write(pcr + 0x51, &[number]);
            }
            Arch::X64 => {
                self.memory.write_ptr(arch, pcr + 0x18, pcr);
                self.memory.write_ptr(arch, pcr + 0x20, pcr + 0x180);
                self.memory.write(pcr + 0x184, &[number]);
                self.memory.write(pcr + 0x1A4, &[number, 0, 0, 0]);
            }
            Arch::Arm64 => {}
        }
    }

    /// `KPRCB.CurrentThread`.
    pub(crate) fn set_current_thread(&mut self, core: usize, object: u64) {
        let arch = self.arch();
        let offset = match arch {
            Arch::X86 => 0x124,
            Arch::X64 => 0x188,
            Arch::Arm64 => 0x988,
        };
        let pcr = self.state.cores[core].pcr;
        self.memory.write_ptr(arch, pcr + offset, object);
    }

    fn create_boot_thread(&mut self, drivers: &[Driver]) {
        let setup = self.setup.clone();
        let first = setup.modules.len() - drivers.len();
        for (driver, module) in drivers.iter().zip(&setup.modules[first..]) {
            let entry = module
                .image
                .as_ref()
                .map_or(0, |i| module.base + u64::from(i.entry_rva));
            let range = module.base..module.base + module.size;
            io::device::create_driver(self, &module.name, &driver.service, range, entry);
        }
        let next = Next::Host(Then::Thread(thread::Then::Boot(0)), 0);
        let thread = thread::create(self, 0, "System", 8, next);
        debug_assert_eq!(thread, BOOT_THREAD);
    }

    fn run_boot(&mut self, drivers: &[Driver]) -> Result<(), BootError> {
        let name_of = |m: &Machine| {
            let at = m
                .state
                .nt
                .threads
                .boot_driver
                .min(drivers.len().saturating_sub(1));
            drivers
                .get(at)
                .map_or_else(String::new, |d| d.image.name.clone())
        };
        let ended = self.run(Box::new(strategy::Replay::new(Default::default())));
        if let Some(failure) = self.state.nt.threads.boot_error.clone() {
            let driver = drivers[failure.driver].image.name.clone();
            return Err(BootError::DriverEntry {
                driver,
                status: failure.status,
            });
        }
        let done =
            self.state.nt.threads.list[BOOT_THREAD as usize].state == thread::ThreadState::Ended;
        let stop = match ended.stop {
            Stop::Completed if done => {
                self.state.choosing = true;
                self.state.booted = self.engine.retired();
                thread::start_requesters(self);
                return Ok(());
            }
            stop => stop,
        };
        Err(BootError::Stopped {
            driver: name_of(self),
            stop: Box::new(stop),
        })
    }
}

/// The boot thread calls the next `DriverEntry`.
pub(crate) fn boot_driver(call: &mut Call<'_>, driver: usize) -> Done {
    let setup = call.m.setup.clone();
    let first = Module::ALL.len();
    if driver > 0 {
        discard_init(call.m, first + driver - 1);
    }
    let Some(module) = setup.modules.get(first + driver) else {
        call.m.state.nt.threads.boot_deadline = None;
        return Ok(Outcome::End);
    };
    let threads = &mut call.m.state.nt.threads;
    threads.boot_driver = driver;
    let limit = setup.plan.limits.driver_entry;
    call.m.state.nt.threads.boot_deadline = Some(call.m.retired() + limit);
    let entry = module
        .image
        .as_ref()
        .map_or(0, |i| module.base + u64::from(i.entry_rva));
    let (object, path) = io::device::driver_entry_args(call.m, driver);
    let then = Then::Thread(thread::Then::Booted(driver));
    Ok(Outcome::Enter {
        what: "DriverEntry",
        routine: entry,
        args: vec![object, path],
        then,
    })
}

/// Throws away what a driver needed for its `DriverEntry` only.
fn discard_init(m: &mut Machine, module: usize) {
    let setup = m.setup.clone();
    let module = &setup.modules[module];
    let Some(image) = &module.image else { return };
    for section in image.sections.iter().filter(|s| s.discardable) {
        let at = module.base + u64::from(section.rva);
        m.memory
            .change_pages(at, u64::from(section.size), |p| p.valid = false);
    }
}
