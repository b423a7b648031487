//! The facts about an A64 instruction. Capstone says whether the word is an instruction and gives
//! its text; accesses, flow and ordering are read from the encoding.

use capstone::prelude::*;
use capstone::{Capstone, CsResult, RegId};

use super::bits::Word;
use super::{def, flow, memory, names, special};
use crate::decode::{Flow, Insn, Ordering, RegSet};
use crate::registers::Reg;

pub(super) fn engine() -> CsResult<Capstone> {
    Capstone::new()
        .arm64()
        .mode(arch::arm64::ArchMode::Arm)
        .detail(true)
        .build()
}

/// States the facts; `None` for what [`memory::access`] cannot state.
pub(super) fn decode(engine: &Capstone, insn: &capstone::Insn) -> Option<Insn> {
    let word = Word {
        bits: u32::from_le_bytes(insn.bytes().try_into().ok()?),
        addr: insn.address(),
    };
    let access = match memory::is_load_store(word) {
        true => memory::access(word)?,
        false => None,
    };
    let flow = flow::flow(word);
    let (reads, writes) = match &access {
        Some(access) => accessed(word, access),
        None => named(engine, insn, flow)?,
    };
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
        reads,
        writes,
        def: def::def(word, flow, access.as_ref(), writes),
    })
}

/// Registers read and written by a load or store.
fn accessed(word: Word, access: &memory::Access) -> (RegSet, RegSet) {
    let mut reads = access.stored;
    access
        .operand
        .base
        .into_iter()
        .for_each(|r| reads.insert(r));
    access
        .operand
        .index
        .into_iter()
        .for_each(|r| reads.insert(r));
    let mut writes: RegSet = access.loaded.iter().copied().collect();
    access.status.into_iter().for_each(|r| writes.insert(r));
    if let Some(writeback) = access.writeback {
        writes.insert(word.x_or_sp(5));
        if let memory::Writeback::Register(r) = writeback {
            reads.insert(r);
        }
    }
    (reads, writes)
}

/// Registers read and written by any other instruction, as capstone names them.
fn named(engine: &Capstone, insn: &capstone::Insn, flow: Flow) -> Option<(RegSet, RegSet)> {
    let detail = engine.insn_detail(insn).ok()?;
    let registers =
        |ids: &[RegId]| -> RegSet { ids.iter().filter_map(|id| names::register(*id)).collect() };
    let (reads, mut writes) = (
        registers(detail.regs_read()),
        registers(detail.regs_write()),
    );
    if flow != Flow::Next {
        writes.insert(Reg::PC);
    }
    Some((reads, writes))
}
