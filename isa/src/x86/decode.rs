//! Decoding x86: the shared instruction set in 32-bit mode.

use capstone::prelude::*;
use capstone::{Capstone, CsResult};

use crate::decode::Insn;
use crate::intel;
use crate::profile::Arch;

pub(super) fn engine() -> CsResult<Capstone> {
    Capstone::new()
        .x86()
        .mode(arch::x86::ArchMode::Mode32)
        .detail(true)
        .build()
}

pub(super) fn decode(engine: &Capstone, insn: &capstone::Insn) -> Option<Insn> {
    intel::decode::decode(engine, insn, Arch::X86)
}
