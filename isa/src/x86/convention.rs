//! The calling conventions of x86 (Microsoft, "Argument Passing and Naming Conventions").

use crate::convention::Rules;
use crate::profile::Arch;
use crate::registers::Reg;

const ECX: Reg = Reg(1);
const EDX: Reg = Reg(2);

pub(crate) static CDECL: Rules = Rules {
    arch: Arch::X86,
    registers: &[],
    home_space: false,
    callee_pops: false,
    alignment: 4,
    result_high: Some(EDX),
};

pub(crate) static STDCALL: Rules = Rules {
    callee_pops: true,
    ..CDECL
};

pub(crate) static FASTCALL: Rules = Rules {
    registers: &[ECX, EDX],
    callee_pops: true,
    ..CDECL
};
