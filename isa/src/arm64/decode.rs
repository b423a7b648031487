//! The facts about an A64 instruction. Capstone says whether the word is an instruction and gives
//! its text; accesses, flow and ordering are read from the encoding.

use capstone::prelude::*;
use capstone::{Capstone, CsResult};

use super::bits::Word;
use super::{def, effects, flow, memory, special};
use crate::decode::{Flow, Insn, Ordering};
use crate::registers::Reg;

pub(super) fn engine() -> CsResult<Capstone> {
    Capstone::new()
        .arm64()
        .mode(arch::arm64::ArchMode::Arm)
        .detail(true)
        .build()
}

/// States the facts; `None` for what [`memory::access`] cannot state, for `dc zva`,
/// whose width is the processor's choice, and for what [`effects::of_word`] does not know.
pub(super) fn decode(engine: &Capstone, insn: &capstone::Insn) -> Option<Insn> {
    let word = Word {
        bits: u32::from_le_bytes(insn.bytes().try_into().ok()?),
        addr: insn.address(),
    };
    if special::is_block_zero(word) {
        return None;
    }
    let access = match memory::is_load_store(word) {
        true => memory::access(word)?,
        false => None,
    };
    let flow = flow::flow(word);
    let mut effects = match &access {
        Some(access) => effects::of_access(word, access),
        None => effects::of_word(engine, insn, word)?,
    };
    if flow != Flow::Next {
        effects.writes.insert(Reg::PC);
    }
    Some(Insn {
        addr: insn.address(),
        len: 4,
        flow,
        mem: [access.as_ref().map(|access| access.operand), None],
        atomic: match &access {
            Some(access) => access.atomic,
            None => special::barrier(word),
        },
        ordering: match &access {
            Some(access) => access.ordering,
            None => Ordering::default(),
        },
        special: special::special(word),
        repeat: false,
        reads: effects.reads,
        writes: effects.writes,
        def: def::def(word, flow, access.as_ref(), effects.writes),
    })
}
