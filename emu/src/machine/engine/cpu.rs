//! A core: instances of the emulator, and what carries its state from one to the other.

use super::*;

/// One instance of the emulator.
pub(super) struct Instance {
    pub(super) uc: Unicorn<'static, ()>,
    pub(super) context: Box<HookContext>,
    /// Its hooks see blocks, not instructions.
    pub(super) by_block: bool,
    /// Translations that it holds may have been taken away.
    pub(super) stale: bool,
}

/// A core: the instance that executes it now. A hook at every instruction costs several times what
/// the instructions do, so there are two: one that sees blocks, for stretches in which no point will
/// be asked about and no budget ends, and one that sees every instruction.
pub(super) struct Cpu {
    pub(super) instances: Vec<Instance>,
    pub(super) live: usize,
    /// See [`Engine::set_guard`].
    pub(super) guarded: bool,
    /// Carries the registers, and the rest of the processor's state, from one to the other.
    carried: Context,
}

impl Cpu {
    pub(super) fn new(
        arch: Arch,
        core: u8,
        shared: &mut Shared,
        watch: Watch,
    ) -> Result<Cpu, String> {
        let by_block: &[bool] = match watch {
            Watch::Points => &[true, false],
            Watch::Recording | Watch::Nothing => &[false],
        };
        let instances = by_block
            .iter()
            .map(|&by_block| Instance::new(arch, core, shared, watch, by_block))
            .collect::<Result<Vec<_>, _>>()?;
        let carried = instances[0].uc.context_alloc().map_err(wrong)?;
        Ok(Cpu {
            instances,
            live: 0,
            guarded: false,
            carried,
        })
    }

    pub(super) fn live(&self) -> &Instance {
        &self.instances[self.live]
    }

    /// Makes the instance that `suits` the live one, if there is one.
    pub(super) fn change(&mut self, suits: impl Fn(&Instance) -> bool) {
        if suits(self.live()) {
            return;
        }
        let Some(to) = self.instances.iter().position(suits) else {
            return;
        };
        let saved = self.instances[self.live].uc.context_save(&mut self.carried);
        if saved.is_ok() && self.instances[to].uc.context_restore(&self.carried).is_ok() {
            self.live = to;
        }
    }
}

/// The emulator's own message.
fn wrong(error: unicorn_engine::uc_error) -> String {
    format!("the processor emulator could not be set up: {error:?}")
}

impl Instance {
    fn new(
        arch: Arch,
        core: u8,
        shared: &mut Shared,
        watch: Watch,
        by_block: bool,
    ) -> Result<Instance, String> {
        let (uc_arch, mode) = match arch {
            Arch::X86 => (unicorn_engine::Arch::X86, Mode::MODE_32),
            Arch::X64 => (unicorn_engine::Arch::X86, Mode::MODE_64),
            Arch::Arm64 => (unicorn_engine::Arch::ARM64, Mode::ARM),
        };
        let mut uc = Unicorn::new(uc_arch, mode).map_err(wrong)?;
        if arch == Arch::Arm64 {
            uc.ctl_set_cpu_model(Arm64CpuModel::MAX as i32)
                .map_err(wrong)?;
            // Otherwise its TLB has an entry for every 1 KiB.
            uc.ctl_set_page_size(FRAME_SIZE as u32).map_err(wrong)?;
        }
        uc.ctl_set_tlb_type(TlbType::VIRTUAL).map_err(wrong)?;
        // SAFETY: the memory is boxed in the machine that owns this engine.
        let (base, length) = unsafe { (*shared.memory).arena() };
        // SAFETY: the arena is page-aligned and outlives the instance.
        let mapped =
            unsafe { uc_mem_map_ptr(uc.get_handle(), 0, length as u64, Prot::ALL.0, base.cast()) };
        if mapped != unicorn_engine::uc_error::OK {
            return Err(wrong(mapped));
        }
        let traps = shared.traps.clone();
        let mut context = Box::new(HookContext {
            core,
            shared,
            pageable: false,
            filled: PageSet::default(),
        });
        let at: *mut HookContext = &mut *context;
        let handle = uc.get_handle();
        add_hook(
            handle,
            HookType::TLB_FILL,
            fill_hook as *mut c_void,
            at,
            0,
            u64::MAX,
        );
        if by_block || watch == Watch::Nothing {
            if watch != Watch::Nothing {
                add_hook(handle, HookType::BLOCK, block_hook as *mut c_void, at, 1, 0);
            }
            let (from, to) = (traps.start, traps.end - 1);
            add_hook(
                handle,
                HookType::CODE,
                stop_hook as *mut c_void,
                at,
                from,
                to,
            );
        } else {
            add_hook(handle, HookType::CODE, code_hook as *mut c_void, at, 1, 0);
        }
        if watch == Watch::Recording {
            let both = HookType::MEM_READ | HookType::MEM_WRITE;
            add_hook(handle, both, memory_hook as *mut c_void, at, 1, 0);
        }
        Ok(Instance {
            uc,
            context,
            by_block,
            stale: false,
        })
    }
}

pub(super) fn add_hook(
    uc: *mut uc_engine,
    kind: HookType,
    callback: *mut c_void,
    context: *mut HookContext,
    from: u64,
    to: u64,
) {
    let mut hook: uc_hook = Default::default();
    // SAFETY: the callback has the signature of its kind; the context lives as long as the
    // instance.
    let result = unsafe {
        uc_hook_add(
            uc,
            (&raw mut hook).cast(),
            kind.0 as i32,
            callback,
            context.cast(),
            from,
            to,
        )
    };
    assert!(
        result == unicorn_engine::uc_error::OK,
        "hook {kind:?}: {result:?}"
    );
}
