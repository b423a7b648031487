//! Calling conventions: where arguments, results and return addresses are.
//!
//! Arguments are counted in **slots** of pointer size. A 64-bit argument of an x86 function takes
//! two slots, the low half first.

use crate::isa;
use crate::memory::{Mem, MemMut};
use crate::profile::Arch;
use crate::registers::{Reg, RegisterAccess};
use crate::{arm64, return_register, stack_pointer, x64, x86};

/// A calling convention.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Convention {
    /// x86 `__cdecl`: everything on the stack, the caller pops.
    Cdecl,
    /// x86 `__stdcall`: everything on the stack, the callee pops.
    Stdcall,
    /// x86 `__fastcall`: two slots in ecx and edx, the callee pops the others. 64-bit arguments
    /// never travel in registers, so a function that takes one before its second slot of another
    /// kind cannot be described by slots alone.
    Fastcall,
    /// The one convention of x64.
    X64,
    /// The Arm64 convention (AAPCS64 as Windows uses it).
    Aapcs64,
}

/// A calling convention as data.
pub(crate) struct Rules {
    pub arch: Arch,
    /// The registers that carry the first slots.
    pub registers: &'static [Reg],
    /// Whether the slots passed in registers own stack slots too (the x64 home space).
    pub home_space: bool,
    /// Whether the callee removes the stack slots when it returns.
    pub callee_pops: bool,
    /// What the stack pointer is a multiple of just before the call instruction.
    pub alignment: u64,
    /// Where the result goes; on x86 edx has the upper half.
    pub result_high: Option<Reg>,
}

impl Rules {
    /// Bytes that the return address takes on the stack of a function just entered.
    fn return_bytes(&self) -> u64 {
        match isa(self.arch).registers.link_register {
            Some(_) => 0,
            None => self.arch.pointer_size(),
        }
    }

    /// How many of `slots` slots have a place on the stack.
    fn stack_slots(&self, slots: usize) -> usize {
        if self.home_space {
            slots.max(self.registers.len())
        } else {
            slots.saturating_sub(self.registers.len())
        }
    }

    /// The place of `slot` relative to the stack pointer of the function just entered; meaningful
    /// for slots that are not in registers.
    fn stack_offset(&self, slot: usize) -> u64 {
        let index = if self.home_space {
            slot
        } else {
            slot.saturating_sub(self.registers.len())
        };
        self.return_bytes() + index as u64 * self.arch.pointer_size()
    }
}

impl Convention {
    /// Every convention, in a fixed order.
    pub const ALL: [Convention; 5] = [
        Convention::Cdecl,
        Convention::Stdcall,
        Convention::Fastcall,
        Convention::X64,
        Convention::Aapcs64,
    ];

    fn rules(self) -> &'static Rules {
        match self {
            Convention::Cdecl => &x86::convention::CDECL,
            Convention::Stdcall => &x86::convention::STDCALL,
            Convention::Fastcall => &x86::convention::FASTCALL,
            Convention::X64 => &x64::convention::X64,
            Convention::Aapcs64 => &arm64::convention::AAPCS64,
        }
    }

    /// The architecture that this convention belongs to.
    pub fn arch(self) -> Arch {
        self.rules().arch
    }

    /// Argument slot number `slot` of the function just entered, before its first instruction
    /// has run. Zero-extended from pointer size; `None` when it is on stack that is not mapped.
    pub fn argument(self, regs: &dyn RegisterAccess, mem: &dyn Mem, slot: usize) -> Option<u64> {
        let rules = self.rules();
        if let Some(reg) = rules.registers.get(slot) {
            return Some(rules.arch.truncate(regs.get(*reg)));
        }
        let sp = regs.get(stack_pointer(rules.arch));
        let at = sp.wrapping_add(rules.stack_offset(slot));
        mem.read_ptr(rules.arch, rules.arch.truncate(at))
    }

    /// The first argument slots of the function just entered, as many as `out` has room for; 0 for
    /// each that is on stack that is not mapped. `sp` is its stack pointer. See [`Self::argument`].
    pub fn arguments(self, regs: &dyn RegisterAccess, sp: u64, mem: &dyn Mem, out: &mut [u64]) {
        let rules = self.rules();
        let arch = rules.arch;
        let in_registers = rules.registers.len().min(out.len());
        let (first, others) = out.split_at_mut(in_registers);
        for (value, reg) in first.iter_mut().zip(rules.registers) {
            *value = arch.truncate(regs.get(*reg));
        }
        for (value, slot) in others.iter_mut().zip(in_registers..) {
            let at = arch.truncate(sp.wrapping_add(rules.stack_offset(slot)));
            *value = mem.read_ptr(arch, at).unwrap_or(0);
        }
    }

    /// Returns from a function that takes `slots` argument slots and was entered with the stack
    /// pointer `sp`: puts `value` where its result goes (on x86 all 64 bits, in edx:eax), pops what
    /// the callee pops and sets the pc to `target`.
    pub fn return_to(
        self,
        regs: &mut dyn RegisterAccess,
        sp: u64,
        target: u64,
        slots: usize,
        value: u64,
    ) {
        let rules = self.rules();
        let arch = rules.arch;
        let mut popped = rules.return_bytes();
        if rules.callee_pops {
            popped += rules.stack_slots(slots) as u64 * arch.pointer_size();
        }
        let sp = (stack_pointer(arch), arch.truncate(sp.wrapping_add(popped)));
        let result = (return_register(arch), arch.truncate(value));
        let pc = (Reg::PC, target);
        match rules.result_high {
            Some(high) => regs.set_all(&[sp, result, (high, value >> 32), pc]),
            None => regs.set_all(&[sp, result, pc]),
        }
    }

    /// Returns from the function just entered to the return address that it finds: see
    /// [`Self::return_to`]. `false`, and nothing changed, when that cannot be read.
    pub fn return_from(
        self,
        regs: &mut dyn RegisterAccess,
        mem: &dyn Mem,
        slots: usize,
        value: u64,
    ) -> bool {
        let arch = self.arch();
        let Some(target) = return_address(arch, regs, mem) else {
            return false;
        };
        let sp = regs.get(stack_pointer(arch));
        self.return_to(regs, sp, target, slots, value);
        true
    }

    /// Sets up a call of `target` with the argument slots `args`, to return to `return_to`, as if
    /// its first instruction were about to run. The stack pointer is first brought to the
    /// alignment that the convention asks for, downwards; the caller's value is not kept. `false`
    /// when `arch` is not the convention's, or the stack cannot be written; the registers are
    /// then unchanged, but part of the stack may have been written.
    pub fn enter(
        self,
        arch: Arch,
        regs: &mut dyn RegisterAccess,
        mem: &mut dyn MemMut,
        target: u64,
        args: &[u64],
        return_to: u64,
    ) -> bool {
        let rules = self.rules();
        if arch != rules.arch {
            return false;
        }
        let link = isa(arch).registers.link_register;
        let area = rules.stack_slots(args.len()) as u64 * arch.pointer_size();
        let top = regs.get(stack_pointer(arch)).wrapping_sub(area) & !(rules.alignment - 1);
        let sp = arch.truncate(top.wrapping_sub(rules.return_bytes()));
        if link.is_none() && !mem.write_ptr(arch, sp, return_to) {
            return false;
        }
        for (slot, value) in args.iter().enumerate().skip(rules.registers.len()) {
            let at = arch.truncate(sp.wrapping_add(rules.stack_offset(slot)));
            if !mem.write_ptr(arch, at, *value) {
                return false;
            }
        }
        for (reg, value) in rules.registers.iter().zip(args) {
            regs.set(*reg, arch.truncate(*value));
        }
        if let Some(link) = link {
            regs.set(link, return_to);
        }
        regs.set(stack_pointer(arch), sp);
        regs.set(Reg::PC, arch.truncate(target));
        true
    }
}

/// The return address of the function just entered: at the stack pointer, or in the link register.
/// `None` when the stack is not mapped there.
pub fn return_address(arch: Arch, regs: &dyn RegisterAccess, mem: &dyn Mem) -> Option<u64> {
    return_address_at(arch, regs, regs.get(stack_pointer(arch)), mem)
}

/// The same for who has read the stack pointer.
pub fn return_address_at(
    arch: Arch,
    regs: &dyn RegisterAccess,
    sp: u64,
    mem: &dyn Mem,
) -> Option<u64> {
    match isa(arch).registers.link_register {
        Some(link) => Some(regs.get(link)),
        None => mem.read_ptr(arch, sp),
    }
}
