//! The facts about an x86 or x64 instruction, from what capstone says about it.

use capstone::Capstone;
use capstone::arch::ArchDetail;
use capstone::arch::DetailsArchInsn;
use capstone::arch::x86::{X86Operand, X86OperandType};

use super::{def, flow, memory, names, special};
use crate::decode::{Atomic, FenceKind, Flow, Insn, Ordering, RegSet, Special};
use crate::profile::Arch;
use crate::registers::Reg;

/// An instruction as the parts of this module look at it.
pub(super) struct Raw<'a> {
    pub arch: Arch,
    /// Mnemonic without prefixes.
    pub name: &'a str,
    pub operands: Vec<X86Operand>,
    pub prefixes: Prefixes,
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

    /// Whether operand `n` is in memory.
    pub fn is_memory(&self, n: usize) -> bool {
        self.operands
            .get(n)
            .is_some_and(|op| matches!(op.op_type, X86OperandType::Mem(_)))
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
    pub operand_size: bool,
}

fn prefixes(bytes: &[u8]) -> Prefixes {
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
        prefixes: prefixes(insn.bytes()),
        address_size: x86.addr_size(),
        next: arch.truncate(insn.address().wrapping_add(insn.len() as u64)),
    };
    let mem = memory::operands(&raw)?;
    let registers = |ids: &[capstone::RegId]| -> RegSet {
        ids.iter().filter_map(|id| names::register(*id)).collect()
    };
    let (mut reads, mut writes) = (
        registers(detail.regs_read()),
        registers(detail.regs_write()),
    );
    for operand in mem.iter().flatten() {
        operand.base.into_iter().for_each(|r| reads.insert(r));
        operand.index.into_iter().for_each(|r| reads.insert(r));
        if operand.segment {
            reads.insert(Reg::SEGMENT_BASE);
        }
    }
    let flow = flow::flow(&raw);
    if flow != Flow::Next {
        writes.insert(Reg::PC);
    }
    let atomic = atomic(&raw);
    let special = special::special(&raw);
    if let Special::Rdtsc | Special::Rdtscp = special {
        writes.remove(Reg::FLAGS);
    }
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
        special,
        repeat: raw.prefixes.repeat && memory::is_string(raw.name),
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
