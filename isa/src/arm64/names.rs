//! The disassembler's register identifiers as [`Reg`]s.

use capstone::RegId;
use capstone::arch::arm64::Arm64Reg::*;

use crate::registers::Reg;

/// The register that `id` is, or is part of. `None` for the zero register and for what
/// [`Registers`](crate::Registers) does not hold.
pub(super) fn register(id: RegId) -> Option<Reg> {
    let id = u32::from(id.0);
    let general = |first: u32| Some(Reg((id - first) as u8));
    let vector = |first: u32| Some(Reg::vector((id - first) as u8));
    match id {
        ARM64_REG_NZCV => Some(Reg::FLAGS),
        ARM64_REG_SP | ARM64_REG_WSP => Some(Reg(31)),
        ARM64_REG_FP => Some(Reg(29)),
        ARM64_REG_LR => Some(Reg(30)),
        ARM64_REG_X0..=ARM64_REG_X28 => general(ARM64_REG_X0),
        ARM64_REG_W0..=ARM64_REG_W30 => general(ARM64_REG_W0),
        ARM64_REG_B0..=ARM64_REG_B31 => vector(ARM64_REG_B0),
        ARM64_REG_H0..=ARM64_REG_H31 => vector(ARM64_REG_H0),
        ARM64_REG_S0..=ARM64_REG_S31 => vector(ARM64_REG_S0),
        ARM64_REG_D0..=ARM64_REG_D31 => vector(ARM64_REG_D0),
        ARM64_REG_Q0..=ARM64_REG_Q31 => vector(ARM64_REG_Q0),
        ARM64_REG_V0..=ARM64_REG_V31 => vector(ARM64_REG_V0),
        _ => None,
    }
}
