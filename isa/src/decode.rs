//! Facts about one instruction: where it goes, what memory it touches, what it orders.

use crate::profile::Arch;
use crate::registers::{Reg, RegisterAccess};
use crate::{frame_pointer, isa, stack_pointer};

/// The facts about one instruction at one address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Insn {
    /// Its address.
    pub addr: u64,
    /// Its length in bytes: 1 to 15, always 4 on Arm64.
    pub len: u8,
    /// Where execution goes next.
    pub flow: Flow,
    /// Its memory operands, explicit ones first. An address computation (`lea`, prefetch) is none.
    pub mem: [Option<MemOperand>; 2],
    /// How it takes part in synchronisation.
    pub atomic: Atomic,
    /// The ordering it asks for beyond the architecture's default.
    pub ordering: Ordering,
    /// What about it needs the emulator's help.
    pub special: Special,
    /// An x86 string instruction under REP: executed as often as ecx (rcx) says, `mem` being
    /// the accesses of one round.
    pub repeat: bool,
    /// The registers it reads, flags and address registers among them.
    pub reads: RegSet,
    /// The registers it may write.
    pub writes: RegSet,
    /// How it computes its destination, when that is simple.
    pub def: Def,
}

impl Insn {
    /// The address of the instruction after it in memory.
    pub fn next(&self) -> u64 {
        self.addr.wrapping_add(u64::from(self.len))
    }

    /// Its memory operands.
    pub fn operands(&self) -> impl Iterator<Item = &MemOperand> {
        self.mem.iter().flatten()
    }

    /// A read-modify-write that is two accesses to other cores: it loses updates when another core
    /// writes between them (Intel SDM vol. 3, 9.1 "Locked Atomic Operations").
    pub fn is_split_update(&self) -> bool {
        self.atomic == Atomic::No && self.operands().any(|m| m.read && m.write)
    }
}

/// Where execution goes after an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// To the next one.
    Next,
    /// Elsewhere, always; `None` when register or memory contents decide.
    Jump {
        /// The destination, if it is in the instruction.
        target: Option<u64>,
    },
    /// Elsewhere or to the next one, by a condition.
    Branch {
        /// The destination if the condition holds.
        target: u64,
    },
    /// Into a function, and later to the next instruction.
    Call {
        /// The function, if it is in the instruction.
        target: Option<u64>,
    },
    /// Back to the caller.
    Return,
    /// Into an exception handler, always.
    Trap,
}

/// How an Arm64 index register is brought to 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Extend {
    /// All of the register is used.
    #[default]
    None,
    /// The low 32 bits, zero-extended.
    Uxtw,
    /// The low 32 bits, sign-extended.
    Sxtw,
}

/// One access to memory. Its address is `base + index * scale + disp`, plus the segment base if
/// [`segment`](Self::segment).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemOperand {
    /// The base register; `None` for an absolute or pc-relative operand, which `disp` holds whole.
    pub base: Option<Reg>,
    /// The index register.
    pub index: Option<Reg>,
    /// What the index is multiplied by: 1, 2, 4, 8 or (Arm64) 16.
    pub scale: u8,
    /// How the index is extended first.
    pub extend: Extend,
    /// The displacement; an absolute address when there is no base. With post-index it is 0.
    pub disp: i64,
    /// Relative to FS or GS.
    pub segment: bool,
    /// The address wraps at 32 bits: x86, and x64 with an address-size prefix.
    pub narrow: bool,
    /// Bytes accessed, all of a pair or of a structure load together.
    pub width: u16,
    /// The operand is loaded from.
    pub read: bool,
    /// The operand is stored to.
    pub write: bool,
    /// The push or pop that is part of push, pop, call, ret and their like.
    pub implicit_stack: bool,
}

impl MemOperand {
    /// An operand of `width` bytes at an address that no register takes part in.
    pub(crate) const fn new(width: u16) -> MemOperand {
        MemOperand {
            base: None,
            index: None,
            scale: 1,
            extend: Extend::None,
            disp: 0,
            segment: false,
            narrow: false,
            width,
            read: false,
            write: false,
            implicit_stack: false,
        }
    }

    /// The address accessed, given the registers before the instruction runs.
    pub fn address(&self, regs: &dyn RegisterAccess) -> u64 {
        let mut address = self.disp as u64;
        if let Some(base) = self.base {
            address = address.wrapping_add(regs.get(base));
        }
        if let Some(index) = self.index {
            let index = match self.extend {
                Extend::None => regs.get(index),
                Extend::Uxtw => u64::from(regs.get(index) as u32),
                Extend::Sxtw => regs.get(index) as i32 as u64,
            };
            address = address.wrapping_add(index.wrapping_mul(u64::from(self.scale)));
        }
        // An address-size prefix cuts the offset and not the segment base (Intel SDM vol. 1,
        // 3.3.7.1). On x86 the sum would wrap as well, which only an offset below the segment's
        // start could reach.
        if self.narrow {
            address &= 0xFFFF_FFFF;
        }
        if self.segment {
            address = address.wrapping_add(regs.get(Reg::SEGMENT_BASE));
        }
        address
    }

    /// Whether the address is formed from the stack pointer or the frame pointer. The frame
    /// pointer counts always: whether the function keeps one is not visible here.
    pub fn is_stack_relative(&self, arch: Arch) -> bool {
        !self.segment
            && self
                .base
                .is_some_and(|base| base == stack_pointer(arch) || base == frame_pointer(arch))
    }
}

/// How an instruction takes part in synchronisation between cores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Atomic {
    /// Not at all.
    No,
    /// An indivisible read-modify-write: x86 LOCK or xchg with memory, an Arm64 LSE atomic.
    Locked,
    /// Arm64 `ldxr` and its like: sets the exclusive monitor.
    LoadExclusive,
    /// Arm64 `stxr` and its like: stores only if the monitor still holds.
    StoreExclusive,
    /// Arm64 `clrex`: clears the monitor.
    ClearExclusive,
    /// A memory barrier.
    Fence(FenceKind),
    /// Arm64 `ldar`, `ldapr`: an ordinary load with acquire ordering.
    AcquireLoad,
    /// Arm64 `stlr`: an ordinary store with release ordering.
    ReleaseStore,
}

/// What a barrier orders. `dmb` and `dsb` are not told apart, nor are shareability domains.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FenceKind {
    /// All accesses before it against all after it: mfence, `dmb ish`.
    Full,
    /// Loads before it against all accesses after it: lfence, `dmb ishld`.
    Load,
    /// Stores before it against stores after it: sfence, `dmb ishst`.
    Store,
    /// The instruction stream only: `isb`.
    Instruction,
}

/// Acquire and release ordering of the access itself (Arm ARM B2.3). LDAPR's weaker acquire
/// counts as acquire.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ordering {
    /// Later accesses stay after it.
    pub acquire: bool,
    /// Earlier accesses stay before it.
    pub release: bool,
}

/// Instructions for which the emulated processor alone does not give the right answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Special {
    /// Nothing special.
    None,
    /// `mov reg, cr8`: reads the IRQL of x64.
    ReadCr8(Reg),
    /// `mov cr8, reg`: sets the IRQL of x64.
    WriteCr8(Reg),
    /// Reads the time stamp counter into edx:eax; on Arm64 `mrs` of a counter, into the register
    /// in [`Insn::writes`].
    Rdtsc,
    /// As `Rdtsc`, and the processor number into ecx.
    Rdtscp,
    /// Masks interrupts: `cli`, `msr daifset`.
    Cli,
    /// Unmasks interrupts: `sti`, `msr daifclr`.
    Sti,
    /// Waits for an interrupt: `hlt`, `wfi`.
    Hlt,
    /// x86 software interrupt with its vector; `int3` is 3.
    Int(u8),
    /// Arm64 `brk` with its immediate.
    Break(u16),
    /// Calls a more privileged level: `syscall`, `sysenter`, `svc`, `hvc`, `smc`.
    SystemCall,
    /// Raises an undefined-instruction exception on purpose: `ud2`, `udf`.
    Undefined,
    /// Only kernel mode has a use for it: control and model registers, ports, TLB, `iret`, `eret`.
    Privileged,
}

/// A set of registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct RegSet(pub u128);

impl RegSet {
    /// No register.
    pub const EMPTY: RegSet = RegSet(0);

    /// Whether `r` is in the set.
    pub fn contains(self, r: Reg) -> bool {
        r.0 < 128 && self.0 >> r.0 & 1 == 1
    }

    /// Puts `r` into the set; numbers from 128 are ignored.
    pub fn insert(&mut self, r: Reg) {
        if r.0 < 128 {
            self.0 |= 1 << r.0;
        }
    }

    /// Takes `r` out of the set.
    pub fn remove(&mut self, r: Reg) {
        if r.0 < 128 {
            self.0 &= !(1 << r.0);
        }
    }

    /// The members, lowest number first.
    pub fn iter(self) -> impl Iterator<Item = Reg> {
        (0..128).map(Reg).filter(move |r| self.contains(*r))
    }

    /// Whether there is no member.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Reg> for RegSet {
    fn from_iter<I: IntoIterator<Item = Reg>>(regs: I) -> RegSet {
        let mut set = RegSet::EMPTY;
        regs.into_iter().for_each(|r| set.insert(r));
        set
    }
}

/// How an instruction computes its destination register: enough to follow one value backwards.
///
/// Values have the width of the instruction's operands: a 32-bit operation of a 64-bit machine
/// uses the low halves and clears the upper half of `dst`. Narrower ones are `Other`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Def {
    /// No general register is computed.
    None,
    /// `dst = src`.
    Copy {
        /// The register written.
        dst: Reg,
        /// The register read.
        src: Reg,
    },
    /// `dst = value`.
    Const {
        /// The register written.
        dst: Reg,
        /// The value, as the whole register holds it afterwards.
        value: u64,
    },
    /// `dst` is loaded, perhaps extended, from memory operand number `mem`.
    Load {
        /// The register written.
        dst: Reg,
        /// Which of [`Insn::mem`].
        mem: u8,
    },
    /// Arm64 `ldp`: `first` from the lower, `second` from the upper half of operand `mem`.
    LoadPair {
        /// The register loaded from the lower address.
        first: Reg,
        /// The register loaded from the upper half.
        second: Reg,
        /// Which of [`Insn::mem`].
        mem: u8,
    },
    /// `dst = src + value`, wrapping: add, sub, inc, dec, lea, stack adjustment.
    AddConst {
        /// The register written.
        dst: Reg,
        /// The register read; often `dst`.
        src: Reg,
        /// What is added.
        value: i64,
    },
    /// One or more general registers are computed in another way; see [`Insn::writes`].
    Other,
}

/// A decoder for one architecture. It keeps no state between calls.
pub struct Decoder {
    arch: Arch,
    engine: capstone::Capstone,
}

impl Decoder {
    /// Makes a decoder.
    ///
    /// # Panics
    /// If capstone cannot allocate its engine: there is no memory left.
    pub fn new(arch: Arch) -> Decoder {
        let engine = (isa(arch).engine)().expect("capstone engine for a compiled-in architecture");
        Decoder { arch, engine }
    }

    /// The architecture it decodes.
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// The facts about the instruction at the start of `bytes`, which stands at `addr`. `None`
    /// when the bytes are too few, are no instruction, or are one whose facts are not known: forms
    /// with accesses that two operands cannot state (vector gather, `xlat`, far calls, `xsave`,
    /// memory tagging), and half-precision arithmetic. The tables under `tests` show them. Fifteen
    /// bytes are always enough.
    pub fn decode(&self, bytes: &[u8], addr: u64) -> Option<Insn> {
        let insns = self.engine.disasm_count(bytes, addr, 1).ok()?;
        let insn = insns.first()?;
        (isa(self.arch).decode)(&self.engine, insn)
    }

    /// Up to `count` instructions as text: address, length, mnemonic, operands. It ends early at
    /// bytes that are no instruction.
    pub fn disassemble(
        &self,
        bytes: &[u8],
        addr: u64,
        count: usize,
    ) -> Vec<(u64, u8, String, String)> {
        if count == 0 {
            return Vec::new();
        }
        let Ok(insns) = self.engine.disasm_count(bytes, addr, count) else {
            return Vec::new();
        };
        insns
            .iter()
            .map(|insn| {
                let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
                (
                    insn.address(),
                    insn.len() as u8,
                    text(insn.mnemonic()),
                    text(insn.op_str()),
                )
            })
            .collect()
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoder({})", self.arch.name())
    }
}
