//! Stack traces of cores, across the kernel's own frames.

use isa::{Frame as IsaFrame, ImageUnwind, Images, Insn, Reg, RegisterAccess, Registers};

use super::context::{Caller, Context, Next};
use super::engine::Engine;
use super::memory::Memory;
use super::{Machine, Setup};

/// One line of a stack trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackFrame {
    /// Instruction: the one that is executing, or a return address.
    pub pc: u64,
    /// What the kernel entered at this point, for the first frame of a routine it called.
    pub entered: Option<&'static str>,
}

/// Frames in a trace, at most.
const LIMIT: usize = 32;

struct Drivers<'a> {
    setup: &'a Setup,
    memory: &'a Memory,
    engine: &'a Engine,
}

impl Images for Drivers<'_> {
    fn image(&self, pc: u64) -> Option<ImageUnwind<'_>> {
        let module = self
            .setup
            .modules
            .iter()
            .find(|m| pc.wrapping_sub(m.base) < m.size)?;
        let image = module.image.as_ref()?;
        let (rva, length) = image.pdata.unwrap_or((0, 0));
        let pdata = image
            .data
            .get(rva as usize..(rva + length) as usize)
            .unwrap_or(&[]);
        Some(ImageUnwind {
            base: module.base,
            pdata,
            memory: self.memory,
        })
    }

    fn insn(&self, pc: u64) -> Option<Insn> {
        self.engine.insn(pc)
    }
}

impl Machine {
    /// The stack of what a core does now, innermost first.
    pub fn backtrace(&self, core: usize) -> Vec<StackFrame> {
        let context = self.state.cores[core].top();
        self.backtrace_of(context, || self.engine.registers(core).save())
    }

    /// The stack of a context. `live` gives the registers if they are loaded in the emulator.
    pub fn backtrace_of(
        &self,
        context: &Context,
        live: impl FnOnce() -> Registers,
    ) -> Vec<StackFrame> {
        let mut out = Vec::new();
        let loaded = context.registers.is_none();
        let mut registers = match &context.registers {
            Some(saved) => (**saved).clone(),
            None => live(),
        };
        let mut frames = context.frames.iter().rev().peekable();
        match (
            &context.next,
            self.decider.caller.filter(|_| loaded).or(context.waiting()),
        ) {
            (Next::Guest { .. } | Next::Update(_) | Next::Special, _) => {}
            // In a kernel call: the caller is where the call returns to.
            (&Next::Call(import), _) => self.leave_call(&mut registers, import),
            (_, Some(caller)) => self.leave_call_of(&mut registers, caller),
            // The kernel's own work.
            (_, None) => return out,
        }
        if matches!(context.next, Next::Spin { .. } | Next::Blocked) {
            frames.next();
        }
        loop {
            let entered = frames.peek().map(|f| f.what).filter(|w| !w.is_empty());
            let drivers = Drivers {
                setup: &self.setup,
                memory: &self.memory,
                engine: &self.engine,
            };
            let unwound: Vec<IsaFrame> =
                isa::unwind(self.arch(), &registers, &*self.memory, &drivers, LIMIT);
            let count = unwound.len();
            for (i, frame) in unwound.into_iter().enumerate() {
                if out.len() == LIMIT {
                    return out;
                }
                let entered = if i + 1 == count { entered } else { None };
                out.push(StackFrame {
                    pc: frame.pc,
                    entered,
                });
            }
            // Below the routine is the kernel call during which it was entered.
            let Some(frame) = frames.next() else {
                return out;
            };
            match (&frame.entry, frame.caller) {
                (Some(entry), Some(caller)) => {
                    registers = (**entry).clone();
                    self.leave_call_of(&mut registers, caller);
                }
                _ => return out,
            }
        }
    }

    /// Makes `registers` those of a kernel call's caller, just after the call.
    fn leave_call_of(&self, registers: &mut Registers, caller: Caller) {
        registers.set(isa::stack_pointer(self.arch()), caller.sp);
        if let Some(lr) = isa::link_register(self.arch()) {
            registers.set(lr, caller.lr);
        }
        self.leave_call(registers, caller.import);
    }

    /// The same with the registers as they are at the entry point of the kernel function.
    fn leave_call(&self, registers: &mut Registers, import: u32) {
        let arch = self.arch();
        let api = self.setup.imports[import as usize].api;
        let convention = api.style.convention(arch);
        // Without a stack there is no caller: address 0 ends the trace.
        registers.set(Reg::PC, 0);
        let value = registers.get(isa::return_register(arch));
        convention.return_from(registers, &*self.memory, api.slots(arch), value);
    }
}
