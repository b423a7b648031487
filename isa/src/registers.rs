//! Register numbers common to all architectures, and the register file as a plain value.

use crate::isa;
use crate::profile::Arch;

/// The number of a register. The meaning depends on the architecture only for 0 to 31, the
/// general registers, and 64 to 95, the vector registers.
///
/// x86 and x64 use the order of their instruction encoding (eax, ecx, edx, ebx, esp, ebp, esi,
/// edi, r8 ...); on Arm64 0 to 30 are x0 to x30 and 31 is sp, never the zero register.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct Reg(pub u8);

impl Reg {
    /// The program counter.
    pub const PC: Reg = Reg(32);
    /// eflags, rflags, or nzcv.
    pub const FLAGS: Reg = Reg(33);
    /// The base address of the FS segment on x86, of GS on x64. Arm64 has none.
    pub const SEGMENT_BASE: Reg = Reg(34);
    /// The first vector register (xmm0, v0); the others follow.
    pub const VECTOR: Reg = Reg(64);

    /// Vector register `n`, 0 to 31.
    pub fn vector(n: u8) -> Reg {
        Reg(Reg::VECTOR.0 + n)
    }

    /// Whether this is a general register, the stack pointer among them.
    pub fn is_general(self) -> bool {
        self.0 < 32
    }
}

/// Reading and writing registers by number, wherever they live.
pub trait RegisterAccess {
    /// The value of `r`, zero-extended. A vector register gives its low 64 bits; a number that
    /// names no register gives 0.
    fn get(&self, r: Reg) -> u64;
    /// Replaces the value of `r`. On a vector register the low 64 bits; a number that names no
    /// register is ignored.
    fn set(&mut self, r: Reg, v: u64);
    /// Replaces several values, in this order.
    fn set_all(&mut self, values: &[(Reg, u64)]) {
        values.iter().for_each(|&(r, v)| self.set(r, v));
    }
}

/// All registers of a core as a plain value, for any architecture.
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct Registers {
    /// The general registers, by [`Reg`] number; those an architecture lacks stay 0.
    pub gpr: [u64; 32],
    /// The program counter.
    pub pc: u64,
    /// eflags, rflags, or nzcv in bits 31 to 28.
    pub flags: u64,
    /// See [`Reg::SEGMENT_BASE`].
    pub segment_base: u64,
    /// xmm0 to xmm15, or v0 to v31.
    pub vec: [u128; 32],
    /// MXCSR, or FPCR.
    pub fp_control: u64,
    /// 0 on x86 and x64 (MXCSR holds both), or FPSR.
    pub fp_status: u64,
}

impl RegisterAccess for Registers {
    fn get(&self, r: Reg) -> u64 {
        match r.0 {
            n @ 0..32 => self.gpr[n as usize],
            32 => self.pc,
            33 => self.flags,
            34 => self.segment_base,
            n @ 64..96 => self.vec[n as usize - 64] as u64,
            _ => 0,
        }
    }

    fn set(&mut self, r: Reg, v: u64) {
        match r.0 {
            n @ 0..32 => self.gpr[n as usize] = v,
            32 => self.pc = v,
            33 => self.flags = v,
            34 => self.segment_base = v,
            n @ 64..96 => {
                let low = &mut self.vec[n as usize - 64];
                *low = (*low >> 64 << 64) | u128::from(v);
            }
            _ => {}
        }
    }
}

impl std::fmt::Debug for Registers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pc={:x} flags={:x}", self.pc, self.flags)?;
        for (n, v) in self.gpr.iter().enumerate().filter(|(_, v)| **v != 0) {
            write!(f, " r{n}={v:x}")?;
        }
        Ok(())
    }
}

/// The names and roles of one architecture's registers.
pub(crate) struct RegisterFile {
    /// Names of the general registers, by number.
    pub general: &'static [&'static str],
    /// Names of the vector registers, by number from [`Reg::VECTOR`].
    pub vector: &'static [&'static str],
    /// Names of pc and flags, and of the segment base where there is one.
    pub others: &'static [(Reg, &'static str)],
    /// Second names, understood by [`by_name`] only.
    pub aliases: &'static [(Reg, &'static str)],
    pub stack_pointer: Reg,
    pub frame_pointer: Reg,
    pub link_register: Option<Reg>,
    pub return_register: Reg,
}

impl RegisterFile {
    fn all(&self) -> impl Iterator<Item = (Reg, &'static str)> {
        let numbered = |first: u8, names: &'static [&'static str]| {
            names
                .iter()
                .enumerate()
                .map(move |(n, name)| (Reg(first + n as u8), *name))
        };
        numbered(0, self.general)
            .chain(self.others.iter().copied())
            .chain(numbered(Reg::VECTOR.0, self.vector))
    }
}

/// esp, rsp or sp.
#[inline]
pub fn stack_pointer(arch: Arch) -> Reg {
    isa(arch).registers.stack_pointer
}

/// ebp, rbp or x29: the register that holds the frame address in a function that keeps one.
pub fn frame_pointer(arch: Arch) -> Reg {
    isa(arch).registers.frame_pointer
}

/// x30 on Arm64; `None` where a call pushes the return address.
#[inline]
pub fn link_register(arch: Arch) -> Option<Reg> {
    isa(arch).registers.link_register
}

/// eax, rax or x0: where a function leaves its result.
#[inline]
pub fn return_register(arch: Arch) -> Reg {
    isa(arch).registers.return_register
}

/// The full-width name of `r`, or `?` when the architecture has no such register.
pub fn name(arch: Arch, r: Reg) -> &'static str {
    isa(arch)
        .registers
        .all()
        .find(|(reg, _)| *reg == r)
        .map_or("?", |(_, name)| name)
}

/// The register of that full-width name, lower case; `fp` and `lr` are understood on Arm64.
pub fn by_name(arch: Arch, name: &str) -> Option<Reg> {
    let file = isa(arch).registers;
    file.all()
        .chain(file.aliases.iter().copied())
        .find(|(_, known)| *known == name)
        .map(|(reg, _)| reg)
}
