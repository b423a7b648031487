//! Leaving a frame on x86, where images carry no unwind data.
//!
//! Functions keep a frame pointer: ebp points at the caller's ebp, the return address above it.
//! The instructions around entry and exit, where that does not hold yet or any more, are told by
//! their bytes, functions without a frame by their code. Without a plausible chain the stack is searched for a word that points behind a
//! call instruction, as the stack dump of NT 4.0's stop screen did.

use super::frameless;
use crate::memory::Mem;
use crate::profile::Arch;
use crate::registers::Registers;
use crate::unwind::{Images, Step};

const ESP: usize = 4;
const EBP: usize = 5;

/// How far above the stack pointer a frame or a return address is looked for, in bytes: more than
/// a kernel stack of x86 has (12 KiB).
const REACH: u64 = 0x4000;

pub(super) fn caller(step: &Step, regs: &Registers) -> Option<Registers> {
    if step.interrupted
        && let Some(offset) = return_offset(step.images, regs.pc)
    {
        return entering_or_leaving(step, regs, offset);
    }
    let frameless = if step.interrupted {
        frameless::caller(step, regs)
    } else {
        None // it has called, so it has a frame
    };
    frameless
        .or_else(|| chain(step, regs))
        .or_else(|| search(step, regs))
}

/// Where the return address is relative to esp, if `pc` is at an instruction of a prologue or
/// epilogue that tells it: 0 with nothing pushed, 4 with ebp pushed.
fn return_offset(images: &dyn Images, pc: u64) -> Option<u64> {
    let code = images.image(pc)?.memory;
    let byte = |at: u64| code.read_u8(at).unwrap_or(0xCC);
    let sets_frame = |at: u64| matches!([byte(at), byte(at + 1)], [0x89, 0xE5] | [0x8B, 0xEC]);
    let pushes_frame = |at: u64| byte(at) == 0x55 && sets_frame(at + 1);
    let returns = |at: u64| matches!(byte(at), 0xC3 | 0xC2);
    // mov edi, edi is the two-byte hole that patches are put in.
    let is_patch_hole = matches!([byte(pc), byte(pc + 1)], [0x8B, 0xFF]);
    if pushes_frame(pc) || is_patch_hole && pushes_frame(pc + 2) || returns(pc) {
        Some(0)
    } else if sets_frame(pc) && byte(pc.wrapping_sub(1)) == 0x55
        || byte(pc) == 0x5D && returns(pc + 1)
    {
        Some(4)
    } else {
        None
    }
}

fn entering_or_leaving(step: &Step, regs: &Registers, offset: u64) -> Option<Registers> {
    let sp = regs.gpr[ESP];
    let mut caller = regs.clone();
    if offset == 4 {
        caller.gpr[EBP] = word(step.mem, sp)?;
    }
    caller.pc = word(step.mem, sp + offset)?;
    caller.gpr[ESP] = sp + offset + 4;
    Some(caller)
}

/// Follows ebp, if it points into the stack above esp and at a return address.
fn chain(step: &Step, regs: &Registers) -> Option<Registers> {
    let (sp, frame) = (regs.gpr[ESP], regs.gpr[EBP]);
    if frame < sp || frame - sp > REACH || frame % 4 != 0 {
        return None;
    }
    let saved = word(step.mem, frame)?;
    let pc = word(step.mem, frame + 4)?;
    // The outermost function of an image returns to where no image is.
    if step.images.image(pc).is_some() && !is_behind_call(step.images, pc) {
        return None;
    }
    let mut caller = regs.clone();
    caller.gpr[EBP] = saved;
    caller.gpr[ESP] = frame + 8;
    caller.pc = pc;
    Some(caller)
}

/// The nearest word on the stack that points behind a call instruction.
fn search(step: &Step, regs: &Registers) -> Option<Registers> {
    let sp = regs.gpr[ESP] & !3;
    for at in (sp..sp + REACH).step_by(4) {
        let pc = word(step.mem, at)?;
        if is_behind_call(step.images, pc) {
            let mut caller = regs.clone();
            caller.gpr[ESP] = at + 4;
            caller.pc = pc;
            return Some(caller);
        }
    }
    None
}

/// Whether the instruction before `pc` is a call: E8 with a displacement, or FF /2 in any of its
/// lengths (Intel SDM vol. 2, CALL).
pub(super) fn is_behind_call(images: &dyn Images, pc: u64) -> bool {
    let Some(image) = images.image(pc) else {
        return false;
    };
    let byte = |back: u64| image.memory.read_u8(pc.wrapping_sub(back));
    if byte(5) == Some(0xE8) {
        return true;
    }
    (2..=7).any(|length| {
        byte(length) == Some(0xFF)
            && byte(length - 1).is_some_and(|modrm| {
                let sib = if length > 2 { byte(length - 2) } else { None };
                modrm >> 3 & 7 == 2 && call_length(modrm, sib) == Some(length)
            })
    })
}

/// The length of FF with this ModR/M byte and the byte after it.
fn call_length(modrm: u8, sib: Option<u8>) -> Option<u64> {
    Some(match (modrm >> 6, modrm & 7) {
        (3, _) => 2,
        (0, 4) if sib? & 7 == 5 => 7,
        (0, 4) => 3,
        (0, 5) => 6,
        (0, _) => 2,
        (1, 4) => 4,
        (1, _) => 3,
        (_, 4) => 7,
        (_, _) => 6,
    })
}

pub(super) fn word(mem: &dyn Mem, at: u64) -> Option<u64> {
    mem.read_ptr(Arch::X86, Arch::X86.truncate(at))
}

#[cfg(test)]
mod tests {
    use super::call_length;

    #[test]
    fn lengths_of_indirect_calls() {
        let cases: [(&[u8], u64); 9] = [
            (&[0xD0], 2),                   // call eax
            (&[0x10], 2),                   // call [eax]
            (&[0x15, 0, 0, 0, 0], 6),       // call [disp32]
            (&[0x50, 0x38], 3),             // call [eax+38h]
            (&[0x90, 0, 1, 0, 0], 6),       // call [eax+100h]
            (&[0x14, 0x81], 3),             // call [ecx+eax*4]
            (&[0x14, 0x85, 0, 0, 0, 0], 7), // call [eax*4+disp32]
            (&[0x54, 0x24, 0x08], 4),       // call [esp+8]
            (&[0x94, 0x24, 0, 1, 0, 0], 7), // call [esp+100h]
        ];
        for (tail, length) in cases {
            assert_eq!(call_length(tail[0], tail.get(1).copied()), Some(length));
            assert_eq!(tail.len() as u64 + 1, length);
        }
    }
}
