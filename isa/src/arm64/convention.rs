//! The calling convention of AArch64 (Arm, AAPCS64; Microsoft, "Overview of ARM64 ABI
//! conventions"). Variadic functions follow the same slots.

use crate::convention::Rules;
use crate::profile::Arch;
use crate::registers::Reg;

/// x0 to x7.
const ARGUMENTS: [Reg; 8] = [
    Reg(0),
    Reg(1),
    Reg(2),
    Reg(3),
    Reg(4),
    Reg(5),
    Reg(6),
    Reg(7),
];

pub(crate) static AAPCS64: Rules = Rules {
    arch: Arch::Arm64,
    registers: &ARGUMENTS,
    home_space: false,
    callee_pops: false,
    alignment: 16,
    result_high: None,
};
