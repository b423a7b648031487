//! The calling convention of x64 (Microsoft, "x64 calling convention").

use crate::convention::Rules;
use crate::profile::Arch;
use crate::registers::Reg;

/// rcx, rdx, r8, r9.
const ARGUMENTS: [Reg; 4] = [Reg(1), Reg(2), Reg(8), Reg(9)];

pub(crate) static X64: Rules = Rules {
    arch: Arch::X64,
    registers: &ARGUMENTS,
    home_space: true,
    callee_pops: false,
    alignment: 16,
    result_high: None,
};
