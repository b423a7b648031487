//! The emulator's numbers for the registers that [`isa`] numbers.

use isa::{Arch, Reg, RegisterAccess, Registers};
use unicorn_engine::hook::sys::{uc_engine, uc_reg_read, uc_reg_write, uc_reg_write_batch};
use unicorn_engine::{RegisterARM64 as A64, RegisterX86 as X86};

/// x86 has 8 general registers, x64 16, AArch64 31 and the stack pointer.
const INTEL: [X86; 16] = [
    X86::RAX,
    X86::RCX,
    X86::RDX,
    X86::RBX,
    X86::RSP,
    X86::RBP,
    X86::RSI,
    X86::RDI,
    X86::R8,
    X86::R9,
    X86::R10,
    X86::R11,
    X86::R12,
    X86::R13,
    X86::R14,
    X86::R15,
];
const IA32: [X86; 8] = [
    X86::EAX,
    X86::ECX,
    X86::EDX,
    X86::EBX,
    X86::ESP,
    X86::EBP,
    X86::ESI,
    X86::EDI,
];

/// Model-specific register FS_BASE; x86 has no other way in that the emulator honours.
const MSR_FS_BASE: u32 = 0xC000_0100;

fn id(arch: Arch, reg: Reg) -> Option<i32> {
    let n = usize::from(reg.0);
    Some(match (arch, reg) {
        (Arch::X86, _) if n < 8 => IA32[n] as i32,
        (Arch::X64, _) if n < 16 => INTEL[n] as i32,
        (Arch::Arm64, _) if n < 29 => A64::X0 as i32 + n as i32,
        (Arch::Arm64, Reg(29)) => A64::X29 as i32,
        (Arch::Arm64, Reg(30)) => A64::X30 as i32,
        (Arch::Arm64, Reg(31)) => A64::SP as i32,
        (Arch::X86, Reg::PC) => X86::EIP as i32,
        (Arch::X64, Reg::PC) => X86::RIP as i32,
        (Arch::Arm64, Reg::PC) => A64::PC as i32,
        (Arch::X86 | Arch::X64, Reg::FLAGS) => X86::EFLAGS as i32,
        (Arch::Arm64, Reg::FLAGS) => A64::NZCV as i32,
        (Arch::X64, Reg::SEGMENT_BASE) => X86::GS_BASE as i32,
        _ => return None,
    })
}

/// How many general and vector registers there are.
fn counts(arch: Arch) -> (usize, usize) {
    match arch {
        Arch::X86 => (8, 8),
        Arch::X64 => (16, 16),
        Arch::Arm64 => (32, 32),
    }
}

fn vector_id(arch: Arch, n: usize) -> i32 {
    match arch {
        Arch::X86 | Arch::X64 => X86::XMM0 as i32 + n as i32,
        Arch::Arm64 => A64::V0 as i32 + n as i32,
    }
}

fn control_ids(arch: Arch) -> (i32, Option<i32>) {
    match arch {
        Arch::X86 | Arch::X64 => (X86::MXCSR as i32, None),
        Arch::Arm64 => (A64::FPCR as i32, Some(A64::FPSR as i32)),
    }
}

/// The registers of a core that is loaded in the emulator.
#[derive(Clone, Copy)]
pub struct LiveRegisters {
    pub(super) uc: *mut uc_engine,
    pub(super) arch: Arch,
}

impl LiveRegisters {
    fn raw_read(&self, id: i32) -> u64 {
        let mut value = 0u64;
        // SAFETY: the engine outlives this handle; no register read here is wider than 8 bytes.
        let _ = unsafe { uc_reg_read(self.uc, id, (&raw mut value).cast()) };
        value
    }

    fn raw_write(&self, id: i32, value: u64) {
        // SAFETY: as above.
        let _ = unsafe { uc_reg_write(self.uc, id, (&raw const value).cast()) };
    }

    /// All registers as a value.
    pub fn save(&self) -> Registers {
        let mut out = Registers::default();
        let (general, vector) = counts(self.arch);
        for n in 0..general {
            out.gpr[n] = self.get(Reg(n as u8));
        }
        out.pc = self.get(Reg::PC);
        out.flags = self.get(Reg::FLAGS);
        out.segment_base = self.get(Reg::SEGMENT_BASE);
        for n in 0..vector {
            // SAFETY: a vector register is 16 bytes, as is the target.
            let _ = unsafe {
                uc_reg_read(
                    self.uc,
                    vector_id(self.arch, n),
                    (&raw mut out.vec[n]).cast(),
                )
            };
        }
        let (control, status) = control_ids(self.arch);
        out.fp_control = self.raw_read(control) & 0xFFFF_FFFF;
        out.fp_status = status.map_or(0, |id| self.raw_read(id) & 0xFFFF_FFFF);
        out
    }

    /// Replaces all registers.
    pub fn load(&mut self, from: &Registers) {
        let (general, vector) = counts(self.arch);
        for n in 0..general {
            self.set(Reg(n as u8), from.gpr[n]);
        }
        self.set(Reg::PC, from.pc);
        self.set(Reg::FLAGS, from.flags);
        for n in 0..vector {
            // SAFETY: a vector register is 16 bytes, as is the source.
            let _ = unsafe {
                uc_reg_write(
                    self.uc,
                    vector_id(self.arch, n),
                    (&raw const from.vec[n]).cast(),
                )
            };
        }
        let (control, status) = control_ids(self.arch);
        self.raw_write(control, from.fp_control);
        if let Some(id) = status {
            self.raw_write(id, from.fp_status);
        }
    }
}

impl RegisterAccess for LiveRegisters {
    fn get(&self, reg: Reg) -> u64 {
        match (self.arch, reg) {
            (Arch::X86, Reg::SEGMENT_BASE) => self.raw_read(X86::FS_BASE as i32),
            (Arch::X86, _) => id(self.arch, reg).map_or(0, |i| self.raw_read(i) & 0xFFFF_FFFF),
            _ => id(self.arch, reg).map_or(0, |i| self.raw_read(i)),
        }
    }

    fn set(&mut self, reg: Reg, value: u64) {
        if self.arch == Arch::X86 && reg == Reg::SEGMENT_BASE {
            #[repr(C)]
            struct Msr {
                number: u32,
                value: u64,
            }
            let msr = Msr {
                number: MSR_FS_BASE,
                value,
            };
            // SAFETY: uc_x86_msr has this layout.
            let _ = unsafe { uc_reg_write(self.uc, X86::MSR as i32, (&raw const msr).cast()) };
        } else if let Some(i) = id(self.arch, reg) {
            self.raw_write(i, value);
        }
    }

    fn set_all(&mut self, values: &[(Reg, u64)]) {
        const MOST: usize = 4;
        let one_by_one = self.arch == Arch::X86 && values.iter().any(|v| v.0 == Reg::SEGMENT_BASE);
        if one_by_one || values.len() > MOST {
            return values.iter().for_each(|&(reg, value)| self.set(reg, value));
        }
        let (mut ids, mut at, mut count) = ([0; MOST], [std::ptr::null_mut(); MOST], 0);
        for (reg, value) in values {
            if let Some(id) = id(self.arch, *reg) {
                (ids[count], at[count]) = (id, (&raw const *value).cast_mut().cast());
                count += 1;
            }
        }
        // SAFETY: as above; the values live as long as the call, which only reads them.
        let _ = unsafe { uc_reg_write_batch(self.uc, ids.as_ptr(), at.as_ptr(), count as i32) };
    }
}
