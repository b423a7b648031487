//! The facts about an x86 or x64 instruction, from what capstone says about it.

use capstone::Capstone;
use capstone::arch::ArchDetail;
use capstone::arch::DetailsArchInsn;
use capstone::arch::x86::{X86Operand, X86OperandType};

use super::{def, effects, flow, memory, names, special};
use crate::decode::{Atomic, FenceKind, Insn, Ordering};
use crate::profile::Arch;
use crate::registers::Reg;

/// An instruction as the parts of this module look at it.
pub(super) struct Raw<'a> {
    pub arch: Arch,
    /// Mnemonic without prefixes.
    pub name: &'a str,
    pub operands: Vec<X86Operand>,
    pub prefixes: Prefixes,
    /// A far transfer through memory, which has the mnemonic of a near one.
    pub far: bool,
    /// Address size in bytes: 2, 4 or 8.
    pub address_size: u8,
    /// The address of the next instruction.
    pub next: u64,
}

impl Raw<'_> {
    /// Operand `n` if it is an immediate.
    pub fn immediate(&self, n: usize) -> Option<i64> {
        match self.operands.get(n)?.op_type {
            X86OperandType::Imm(value) => Some(value),
            _ => None,
        }
    }

    /// Operand `n` if it is a general register or part of one.
    pub fn general(&self, n: usize) -> Option<names::Part> {
        match self.operands.get(n)?.op_type {
            X86OperandType::Reg(id) => names::general(id),
            _ => None,
        }
    }

    /// Operand `n` if it is a register of [`Registers`](crate::Registers), or part of one.
    pub fn register(&self, n: usize) -> Option<Reg> {
        match self.operands.get(n)?.op_type {
            X86OperandType::Reg(id) => names::register(id),
            _ => None,
        }
    }

    /// Whether there are two operands and they are the same register.
    pub fn operands_equal(&self) -> bool {
        let [first, second] = &self.operands[..] else {
            return false;
        };
        matches!(first.op_type, X86OperandType::Reg(_)) && first.op_type == second.op_type
    }

    /// Whether operand `n` is in memory.
    pub fn is_memory(&self, n: usize) -> bool {
        self.operands
            .get(n)
            .is_some_and(|op| matches!(op.op_type, X86OperandType::Mem(_)))
    }

    /// Whether it is a string instruction under REP. `movsd` and `cmpsd` are also vector moves and
    /// comparisons, told apart by their operands.
    pub fn is_repeated(&self) -> bool {
        self.prefixes.repeat && memory::is_string(self.name) && !self.is_vector()
    }

    /// Whether an operand is a register that is not a general one.
    fn is_vector(&self) -> bool {
        self.operands.iter().any(|op| match op.op_type {
            X86OperandType::Reg(id) => names::general(id).is_none(),
            _ => false,
        })
    }

    /// Bytes that a push of this instruction moves: a pointer, unless a prefix makes it 16 bits.
    pub fn stack_width(&self) -> u16 {
        if self.prefixes.operand_size {
            2
        } else {
            self.arch.pointer_size() as u16
        }
    }
}

/// The legacy prefixes before an opcode (Intel SDM vol. 2, 2.1.1).
#[derive(Clone, Copy, Default)]
pub(super) struct Prefixes {
    pub lock: bool,
    /// REP, REPE or REPNE.
    pub repeat: bool,
    /// Operands have 16 bits.
    pub operand_size: bool,
}

fn prefixes(bytes: &[u8], rex: u8) -> Prefixes {
    let mut found = Prefixes::default();
    for byte in bytes {
        match byte {
            0xF0 => found.lock = true,
            0xF2 | 0xF3 => found.repeat = true,
            0x66 => found.operand_size = true,
            0x26 | 0x2E | 0x36 | 0x3E | 0x64 | 0x65 | 0x67 => {}
            _ => break,
        }
    }
    found.operand_size &= rex & 8 == 0; // REX.W wins
    found
}

/// States the facts; `None` for a form whose memory accesses [`Insn`] cannot state.
pub(crate) fn decode(engine: &Capstone, insn: &capstone::Insn, arch: Arch) -> Option<Insn> {
    let detail = engine.insn_detail(insn).ok()?;
    let ArchDetail::X86Detail(x86) = detail.arch_detail() else {
        return None;
    };
    let raw = Raw {
        arch,
        name: insn.mnemonic()?.rsplit(' ').next()?,
        operands: x86.operands().collect(),
        prefixes: prefixes(insn.bytes(), x86.rex()),
        far: x86.opcode()[0] == 0xFF && matches!(x86.modrm() >> 3 & 7, 3 | 5),
        address_size: x86.addr_size(),
        next: arch.truncate(insn.address().wrapping_add(insn.len() as u64)),
    };
    let mem = memory::operands(&raw)?;
    let flow = flow::flow(&raw);
    let atomic = atomic(&raw);
    let (reads, writes) = effects::effects(&raw, &detail, &mem, flow);
    Some(Insn {
        addr: insn.address(),
        len: insn.len() as u8,
        flow,
        mem,
        atomic,
        // A locked instruction is a full barrier: Intel SDM vol. 3, 9.2.3.9.
        ordering: Ordering {
            acquire: atomic == Atomic::Locked,
            release: atomic == Atomic::Locked,
        },
        special: special::special(&raw),
        repeat: raw.is_repeated(),
        reads,
        writes,
        def: def::def(&raw, writes),
    })
}

fn atomic(raw: &Raw) -> Atomic {
    match raw.name {
        "mfence" => Atomic::Fence(FenceKind::Full),
        "lfence" => Atomic::Fence(FenceKind::Load),
        "sfence" => Atomic::Fence(FenceKind::Store),
        // xchg with memory locks without the prefix: Intel SDM vol. 3, 9.1.2.1.
        "xchg" if raw.is_memory(0) || raw.is_memory(1) => Atomic::Locked,
        _ if raw.prefixes.lock => Atomic::Locked,
        _ => Atomic::No,
    }
}
