//! How an x86 or x64 instruction computes its destination register.

use capstone::arch::x86::X86OperandType;

use super::decode::Raw;
use super::names::{self, Part};
use crate::decode::{Def, RegSet};
use crate::stack_pointer;

pub(super) fn def(raw: &Raw, writes: RegSet) -> Def {
    simple(raw)
        .or_else(|| stack(raw))
        .unwrap_or(if writes.iter().any(|r| r.is_general()) {
            Def::Other
        } else {
            Def::None
        })
}

/// Instructions that compute the register in their first operand, if it is written whole: at
/// 16 and 8 bits the rest of it stays.
fn simple(raw: &Raw) -> Option<Def> {
    let whole = |part: &Part| part.width >= 4;
    let dst = raw.general(0).filter(whole)?;
    let narrow = |value: i64| match dst.width {
        4 => value as u64 & 0xFFFF_FFFF,
        _ => value as u64,
    };
    let constant = |value: i64| Def::Const {
        dst: dst.reg,
        value: narrow(value),
    };
    let add = |value: i64| Def::AddConst {
        dst: dst.reg,
        src: dst.reg,
        value,
    };
    let source = raw.general(1);
    match raw.name {
        "mov" | "movabs" => match (source, raw.immediate(1)) {
            (Some(src), _) if whole(&src) => Some(Def::Copy {
                dst: dst.reg,
                src: src.reg,
            }),
            (_, Some(value)) => Some(constant(value)),
            _ => load(raw, dst),
        },
        "movzx" | "movsx" | "movsxd" => load(raw, dst),
        "pop" => Some(Def::Load {
            dst: dst.reg,
            mem: 0,
        }),
        "xor" | "sub" if source == Some(dst) => Some(constant(0)),
        "add" => raw.immediate(1).map(add),
        "sub" => raw.immediate(1).map(|value| add(value.wrapping_neg())),
        "inc" => Some(add(1)),
        "dec" => Some(add(-1)),
        "lea" => lea(raw, dst),
        _ => None,
    }
}

fn load(raw: &Raw, dst: Part) -> Option<Def> {
    raw.is_memory(1).then_some(Def::Load {
        dst: dst.reg,
        mem: 0,
    })
}

fn lea(raw: &Raw, dst: Part) -> Option<Def> {
    let X86OperandType::Mem(mem) = &raw.operands.get(1)?.op_type else {
        return None;
    };
    let base = names::general(mem.base()).map(|part| part.reg);
    if names::general(mem.index()).is_some() || raw.address_size == 2 {
        return None;
    }
    let cut = dst.width == 4 || raw.address_size == 4;
    Some(match base {
        Some(src) if !cut || dst.width == 4 => Def::AddConst {
            dst: dst.reg,
            src,
            value: mem.disp(),
        },
        Some(_) => return None,
        None => {
            let pc = if names::is_pc(mem.base()) {
                raw.next
            } else {
                0
            };
            let value = pc.wrapping_add(mem.disp() as u64);
            Def::Const {
                dst: dst.reg,
                value: if cut { value & 0xFFFF_FFFF } else { value },
            }
        }
    })
}

/// The stack adjustment of instructions that compute no other register.
fn stack(raw: &Raw) -> Option<Def> {
    let pointer = raw.arch.pointer_size() as i64;
    let width = i64::from(raw.stack_width());
    let value = match raw.name {
        "push" | "pushf" | "pushfd" | "pushfq" => -width,
        "popf" | "popfd" | "popfq" => width,
        "pop" if raw.is_memory(0) => width,
        "call" => -pointer,
        "ret" => pointer + raw.immediate(0).unwrap_or(0),
        _ => return None,
    };
    let sp = stack_pointer(raw.arch);
    Some(Def::AddConst {
        dst: sp,
        src: sp,
        value,
    })
}
