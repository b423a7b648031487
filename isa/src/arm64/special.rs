//! A64 system instructions: what they need from the emulator and which barriers they are (Arm ARM
//! C4.1.65 and C5).

use super::bits::Word;
use crate::decode::{Atomic, FenceKind, Special};

/// `CNTPCT_EL0`, `CNTVCT_EL0`, their self-synchronised forms and `PMCCNTR_EL0`, each as
/// op0:op1:CRn:CRm:op2. Their values come from the host's clock unless emulated.
const COUNTERS: [u32; 5] = [
    sysreg(3, 14, 0, 1),
    sysreg(3, 14, 0, 2),
    sysreg(3, 14, 0, 5),
    sysreg(3, 14, 0, 6),
    sysreg(3, 9, 13, 0),
];

/// `DAIF`, the interrupt masks.
const DAIF: u32 = sysreg(3, 4, 2, 1);

/// The field of bits 20 to 5 of `mrs` and `msr`, for a register with op0 = 3.
pub(super) const fn sysreg(op1: u32, crn: u32, crm: u32, op2: u32) -> u32 {
    3 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2
}

pub(super) fn special(word: Word) -> Special {
    if word.is(0xFFFF_0000, 0) {
        return Special::Undefined; // udf
    }
    if word.is(0xFF00_0000, 0xD400_0000) {
        return exception(word);
    }
    if word.is(0xFFFF_FFFF, 0xD503_207F) || word.is(0xFFFF_FFE0, 0xD503_1020) {
        return Special::Hlt; // wfi, wfit
    }
    if word.is(0xFFF8_F01F, 0xD500_401F) {
        return pstate(word);
    }
    if word.is(0xFFD0_0000, 0xD510_0000) {
        return system_register(word);
    }
    // sys, sysl: cache, TLB and address translation. op1 = 3 is for user mode as well.
    if word.is(0xFFD8_0000, 0xD508_0000) && word.field(18, 16) != 3 {
        return Special::Privileged;
    }
    if word.is(0xFE00_0000, 0xD600_0000) && matches!(word.field(24, 21), 4 | 5) {
        return Special::Privileged; // eret, drps
    }
    Special::None
}

/// `dc zva` and its tagged forms: stores zeros over a block of memory.
pub(super) fn is_block_zero(word: Word) -> bool {
    word.is(0xFFFF_FF00, 0xD50B_7400)
}

fn exception(word: Word) -> Special {
    match (word.field(23, 21), word.field(1, 0)) {
        (0, _) => Special::SystemCall, // svc, hvc, smc
        (1 | 2, _) => Special::Break(word.field(20, 5) as u16), // brk, hlt
        _ => Special::Privileged,
    }
}

/// `msr` of an immediate into a field of PSTATE.
fn pstate(word: Word) -> Special {
    // The immediate's bits are the masks D, A, I, F from the left.
    let interrupts = word.field(11, 8) & 0b0010 != 0;
    match (word.field(18, 16), word.field(7, 5)) {
        (3, 6) if interrupts => Special::Cli,
        (3, 7) if interrupts => Special::Sti,
        (3, 6 | 7) => Special::Privileged,
        // SSBS, DIT and TCO belong to user mode as well; cfinv, xaflag and axflag are flags.
        (3, _) | (0, 0..=2) => Special::None,
        _ => Special::Privileged,
    }
}

/// `mrs` and `msr` with a register. Those with op1 = 3 may be used at EL0.
fn system_register(word: Word) -> Special {
    let register = word.field(20, 5);
    let read = word.bit(21);
    if read && COUNTERS.contains(&register) {
        Special::Rdtsc
    } else if register == DAIF || word.field(18, 16) != 3 {
        Special::Privileged
    } else {
        Special::None
    }
}

/// Barriers and `clrex`.
pub(super) fn barrier(word: Word) -> Atomic {
    if !word.is(0xFFFF_F01F, 0xD503_301F) {
        return Atomic::No;
    }
    match word.field(7, 5) {
        2 => Atomic::ClearExclusive,
        4 | 5 => Atomic::Fence(match word.field(9, 8) {
            1 => FenceKind::Load,
            2 => FenceKind::Store,
            _ => FenceKind::Full,
        }),
        1 => Atomic::Fence(FenceKind::Full), // dsb nXS
        6 => Atomic::Fence(FenceKind::Instruction),
        _ => Atomic::No,
    }
}
