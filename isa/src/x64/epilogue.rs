//! Finishing an epilogue of x64 that has begun.
//!
//! Epilogues have a fixed form, by which they are recognised: an optional `add rsp` or `lea rsp`,
//! pops of registers, and a return or a jump out of the function (Microsoft, "x64 prolog and
//! epilog").

use std::ops::Range;

use super::unwind::pop;
use crate::memory::Mem;
use crate::registers::{Reg, Registers};

const RSP: Reg = Reg(4);

/// More pops than there are registers to pop.
const POP_LIMIT: usize = 16;

/// The registers after the rest of the epilogue at the pc, or `None` if the code there is no
/// epilogue. `frame` is the frame register of the function, if it has one.
pub(super) fn finish(
    mem: &dyn Mem,
    code: &dyn Mem,
    regs: &Registers,
    function: Range<u64>,
    frame: Option<Reg>,
) -> Option<Registers> {
    let mut caller = regs.clone();
    let mut at = regs.pc;
    if let Some((length, sp)) = release(code, regs, at, frame) {
        caller.gpr[RSP.0 as usize] = sp;
        at += length;
    }
    for _ in 0..POP_LIMIT {
        let Some((length, reg)) = popped(code, at) else {
            break;
        };
        caller.gpr[reg.0 as usize] = pop(mem, &mut caller)?;
        at += length;
    }
    if !leaves(code, at, function)? {
        return None;
    }
    caller.pc = pop(mem, &mut caller)?;
    Some(caller)
}

fn bytes<const N: usize>(code: &dyn Mem, at: u64) -> Option<[u8; N]> {
    let mut buf = [0; N];
    code.read(at, &mut buf).then_some(buf)
}

/// The instruction that releases the fixed part of the frame: its length and the new rsp.
fn release(code: &dyn Mem, regs: &Registers, at: u64, frame: Option<Reg>) -> Option<(u64, u64)> {
    let byte = |n: u64| code.read_u8(at + n);
    let imm8 = |n: u64| byte(n).map(|b| b as i8 as u64);
    let imm32 = |n: u64| code.read_u32(at + n).map(|w| w as i32 as u64);
    let rsp = regs.gpr[RSP.0 as usize];
    match bytes::<3>(code, at)? {
        [0x48, 0x83, 0xC4] => Some((4, rsp.wrapping_add(imm8(3)?))),
        [0x48, 0x81, 0xC4] => Some((7, rsp.wrapping_add(imm32(3)?))),
        // lea rsp, [frame + displacement]; no frame register needs a SIB byte but r12.
        [rex @ (0x48 | 0x49), 0x8D, modrm] if modrm >> 3 & 7 == RSP.0 => {
            let frame = frame?;
            if (rex & 1) << 3 | modrm & 7 != frame.0 || modrm & 7 == 4 {
                return None;
            }
            let base = regs.gpr[frame.0 as usize];
            match modrm >> 6 {
                0 if modrm & 7 != 5 => Some((3, base)),
                1 => Some((4, base.wrapping_add(imm8(3)?))),
                2 => Some((7, base.wrapping_add(imm32(3)?))),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A pop of a register: its length and the register.
fn popped(code: &dyn Mem, at: u64) -> Option<(u64, Reg)> {
    match (code.read_u8(at)?, code.read_u8(at + 1)) {
        (op @ 0x58..=0x5F, _) => Some((1, Reg(op - 0x58))),
        (0x41, Some(op @ 0x58..=0x5F)) => Some((2, Reg(op - 0x58 + 8))),
        _ => None,
    }
}

/// Whether the instruction leaves the function: a return, or a jump that is a tail call. A jump
/// through a register counts only with the REX.W prefix that marks it as such.
fn leaves(code: &dyn Mem, at: u64, function: Range<u64>) -> Option<bool> {
    let outside = |target: u64| !function.contains(&target) || target == function.start;
    Some(match code.read_u8(at)? {
        0xC3 | 0xC2 => true,
        0xF3 => code.read_u8(at + 1)? == 0xC3,
        0xE9 => outside(
            at.wrapping_add(5)
                .wrapping_add(code.read_u32(at + 1)? as i32 as u64),
        ),
        0xEB => outside(
            at.wrapping_add(2)
                .wrapping_add(code.read_u8(at + 1)? as i8 as u64),
        ),
        0xFF => code.read_u8(at + 1)? == 0x25,
        0x48 | 0x49 => code.read_u8(at + 1)? == 0xFF && code.read_u8(at + 2)? >> 3 & 7 == 4,
        _ => false,
    })
}
