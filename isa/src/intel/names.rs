//! The disassembler's register identifiers as [`Reg`]s.

use capstone::RegId;
use capstone::arch::x86::X86Reg::*;

use crate::registers::Reg;

/// A general register, or a part of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub reg: Reg,
    /// Bytes: 1, 2, 4 or 8.
    pub width: u8,
}

/// The parts of each general register in encoding order: 8, 16, 32 and 64 bits.
const PARTS: [[u32; 4]; 16] = [
    [X86_REG_AL, X86_REG_AX, X86_REG_EAX, X86_REG_RAX],
    [X86_REG_CL, X86_REG_CX, X86_REG_ECX, X86_REG_RCX],
    [X86_REG_DL, X86_REG_DX, X86_REG_EDX, X86_REG_RDX],
    [X86_REG_BL, X86_REG_BX, X86_REG_EBX, X86_REG_RBX],
    [X86_REG_SPL, X86_REG_SP, X86_REG_ESP, X86_REG_RSP],
    [X86_REG_BPL, X86_REG_BP, X86_REG_EBP, X86_REG_RBP],
    [X86_REG_SIL, X86_REG_SI, X86_REG_ESI, X86_REG_RSI],
    [X86_REG_DIL, X86_REG_DI, X86_REG_EDI, X86_REG_RDI],
    [X86_REG_R8B, X86_REG_R8W, X86_REG_R8D, X86_REG_R8],
    [X86_REG_R9B, X86_REG_R9W, X86_REG_R9D, X86_REG_R9],
    [X86_REG_R10B, X86_REG_R10W, X86_REG_R10D, X86_REG_R10],
    [X86_REG_R11B, X86_REG_R11W, X86_REG_R11D, X86_REG_R11],
    [X86_REG_R12B, X86_REG_R12W, X86_REG_R12D, X86_REG_R12],
    [X86_REG_R13B, X86_REG_R13W, X86_REG_R13D, X86_REG_R13],
    [X86_REG_R14B, X86_REG_R14W, X86_REG_R14D, X86_REG_R14],
    [X86_REG_R15B, X86_REG_R15W, X86_REG_R15D, X86_REG_R15],
];

/// ah, ch, dh, bh: the second byte of the first four.
const HIGH_BYTES: [u32; 4] = [X86_REG_AH, X86_REG_CH, X86_REG_DH, X86_REG_BH];

/// The general register that `id` is, or is part of.
pub(super) fn general(id: RegId) -> Option<Part> {
    let id = u32::from(id.0);
    if let Some(n) = HIGH_BYTES.iter().position(|high| *high == id) {
        return Some(Part {
            reg: Reg(n as u8),
            width: 1,
        });
    }
    PARTS.iter().enumerate().find_map(|(n, parts)| {
        let log = parts.iter().position(|part| *part == id)?;
        Some(Part {
            reg: Reg(n as u8),
            width: 1 << log,
        })
    })
}

/// The register that `id` is, or is part of. `None` for what [`Registers`](crate::Registers) does
/// not hold: segment selectors, control registers, x87, MMX and mask registers.
pub(super) fn register(id: RegId) -> Option<Reg> {
    let vector = |first: u32| Some(Reg::vector((u32::from(id.0) - first) as u8));
    match u32::from(id.0) {
        X86_REG_EFLAGS => Some(Reg::FLAGS),
        X86_REG_XMM0..=X86_REG_XMM31 => vector(X86_REG_XMM0),
        X86_REG_YMM0..=X86_REG_YMM31 => vector(X86_REG_YMM0),
        X86_REG_ZMM0..=X86_REG_ZMM31 => vector(X86_REG_ZMM0),
        _ => general(id).map(|part| part.reg),
    }
}

/// Whether `id` is the instruction pointer, as the base of a pc-relative operand.
pub(super) fn is_pc(id: RegId) -> bool {
    matches!(u32::from(id.0), X86_REG_EIP | X86_REG_RIP)
}

/// Whether `id` says that an operand has no such register; RIZ and EIZ spell "no index".
pub(super) fn is_none(id: RegId) -> bool {
    matches!(u32::from(id.0), X86_REG_INVALID | X86_REG_EIZ | X86_REG_RIZ)
}

/// Whether `id` is FS or GS, the segments whose base may be other than 0.
pub(super) fn is_based_segment(id: RegId) -> bool {
    matches!(u32::from(id.0), X86_REG_FS | X86_REG_GS)
}

/// The number of a control register.
pub(super) fn control(id: RegId) -> Option<u8> {
    match u32::from(id.0) {
        n @ X86_REG_CR0..=X86_REG_CR15 => Some((n - X86_REG_CR0) as u8),
        _ => None,
    }
}

/// Whether `id` is a debug register.
pub(super) fn is_debug(id: RegId) -> bool {
    (X86_REG_DR0..=X86_REG_DR15).contains(&u32::from(id.0))
}
