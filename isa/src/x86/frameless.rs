//! Leaving a function of x86 that has not set up its frame: because it never does, or because the
//! compiler has moved the set-up behind a test that returns early.
//!
//! There ebp is the caller's, and following it would lose the caller. The return address is found
//! by trial: a word on the stack that follows a direct call, such that walking the code from that
//! call's target to the pc leaves the stack pointer exactly below that word.

use std::collections::BTreeMap;

use super::unwind::{is_behind_call, word};
use crate::decode::{Def, Flow, Insn};
use crate::profile::Arch;
use crate::registers::{Reg, Registers};
use crate::unwind::{Images, Step};

const ESP: Reg = Reg(4);
const EBP: Reg = Reg(5);

/// Words above the stack pointer that are tried.
const WORDS: u64 = 64;

/// Instructions that are walked from the function's start.
const INSTRUCTIONS: usize = 400;

/// The caller's registers, or `None` if the function has a frame or cannot be told.
pub(super) fn caller(step: &Step, regs: &Registers) -> Option<Registers> {
    let sp = regs.gpr[ESP.0 as usize];
    for depth in (0..WORDS).map(|n| n * 4) {
        let pc = word(step.mem, sp + depth)?;
        let Some(target) = called_by(step.images, pc).filter(|target| *target <= regs.pc) else {
            continue;
        };
        if depth_at(step.images, target, regs.pc) == Some(depth) {
            let mut caller = regs.clone();
            caller.pc = pc;
            caller.gpr[ESP.0 as usize] = sp + depth + 4;
            return Some(caller);
        }
    }
    None
}

/// The target of the direct call before `pc`.
fn called_by(images: &dyn Images, pc: u64) -> Option<u64> {
    if !is_behind_call(images, pc) {
        return None;
    }
    let code = images.image(pc)?.memory;
    if code.read_u8(pc.wrapping_sub(5))? != 0xE8 {
        return None;
    }
    let displacement = code.read_u32(pc.wrapping_sub(4))? as i32;
    Some(Arch::X86.truncate(pc.wrapping_add_signed(displacement.into())))
}

/// Bytes that the function at `start` has on the stack when it is at `pc`, as long as it has not
/// touched ebp. The code is walked in the order of its addresses; what a branch jumps over has the
/// depth that the branch had.
fn depth_at(images: &dyn Images, start: u64, pc: u64) -> Option<u64> {
    images.image(start)?;
    let mut at = start;
    let mut depth = Some(0);
    let mut jumped: BTreeMap<u64, u64> = BTreeMap::new();
    for _ in 0..INSTRUCTIONS {
        depth = depth.or(jumped.get(&at).copied());
        if at >= pc {
            return depth.filter(|_| at == pc);
        }
        let insn = images.insn(at)?;
        if let (
            Some(depth),
            Flow::Branch { target }
            | Flow::Jump {
                target: Some(target),
            },
        ) = (depth, insn.flow)
        {
            jumped.entry(target).or_insert(depth);
        }
        depth = depth.and_then(|depth| after(&insn, depth));
        at = insn.next();
    }
    None
}

/// The depth after `insn`, or `None` if the next instruction is not reached from it, or with a
/// depth or an ebp that is not known.
fn after(insn: &Insn, depth: u64) -> Option<u64> {
    if !matches!(insn.flow, Flow::Next | Flow::Branch { .. }) || insn.writes.contains(EBP) {
        return None;
    }
    match insn.def {
        Def::AddConst {
            dst: ESP,
            src: ESP,
            value,
        } => depth.checked_add_signed(value.wrapping_neg()),
        Def::Load { dst, .. } if dst != ESP && insn.mem[0]?.implicit_stack => {
            depth.checked_sub(insn.mem[0]?.width.into())
        }
        _ if insn.writes.contains(ESP) => None,
        _ => Some(depth),
    }
}
