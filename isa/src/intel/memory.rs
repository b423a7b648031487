//! The memory operands of an x86 or x64 instruction.

use capstone::RegId;
use capstone::arch::x86::{X86OpMem, X86Operand, X86OperandType};

use super::decode::Raw;
use super::names;
use crate::decode::MemOperand;
use crate::registers::Reg;
use crate::{frame_pointer, stack_pointer};

type Operands = [Option<MemOperand>; 2];

/// The operands, explicit ones first. `None` for a form that they cannot state: vector gather and
/// scatter, `xlat`, `bt` and its like at a bit offset in a register, 16-bit addressing, far calls
/// and `enter` with nesting.
pub(super) fn operands(raw: &Raw) -> Option<Operands> {
    let mut found = Vec::new();
    if !is_address_only(raw.name) {
        for operand in &raw.operands {
            if let X86OperandType::Mem(mem) = &operand.op_type {
                found.push(explicit(raw, operand, mem)?);
            }
        }
    }
    if let "xlatb" | "lcall" | "ljmp" = raw.name {
        return None;
    }
    if is_bit_string(raw.name) && !found.is_empty() && raw.immediate(1).is_none() {
        return None;
    }
    found.extend(implicit(raw)?);
    match found[..] {
        [] => Some([None, None]),
        [one] => Some([Some(one), None]),
        [one, two] => Some([Some(one), Some(two)]),
        _ => None,
    }
}

/// Whether the instruction is a string instruction, which REP repeats.
pub(super) fn is_string(name: &str) -> bool {
    let stem = name.strip_suffix(['b', 'w', 'd', 'q']).unwrap_or(name);
    matches!(
        stem,
        "movs" | "stos" | "lods" | "cmps" | "scas" | "ins" | "outs"
    )
}

/// Instructions whose memory operand is an address that is not accessed.
fn is_address_only(name: &str) -> bool {
    matches!(name, "lea" | "nop" | "invlpg" | "ud0" | "ud1")
        || name.starts_with("prefetch")
        || name.starts_with("clflush")
        || matches!(name, "clwb" | "cldemote")
}

fn is_bit_string(name: &str) -> bool {
    matches!(name, "bt" | "bts" | "btr" | "btc")
}

/// An operand that the instruction spells out.
fn explicit(raw: &Raw, operand: &X86Operand, mem: &X86OpMem) -> Option<MemOperand> {
    if raw.address_size == 2 {
        return None;
    }
    let mut found = MemOperand {
        scale: mem.scale() as u8,
        disp: mem.disp(),
        segment: names::is_based_segment(mem.segment()),
        narrow: raw.address_size == 4,
        ..MemOperand::new(u16::from(operand.size))
    };
    if names::is_pc(mem.base()) {
        found.disp = found.disp.wrapping_add(raw.next as i64);
    } else {
        found.base = general(mem.base())?;
    }
    found.index = general(mem.index())?;
    let access = operand.access;
    found.read = access.is_some_and(|a| a.is_readable());
    found.write = access.is_some_and(|a| a.is_writable());
    // The stack pointer has been incremented when the destination of a pop is computed
    // (Intel SDM vol. 2, POP).
    if raw.name == "pop" && found.base == Some(stack_pointer(raw.arch)) {
        found.disp += i64::from(raw.stack_width());
    }
    correct(raw, &mut found);
    Some(found)
}

/// `Some(None)` for no register, `None` for one that is no general register.
fn general(id: RegId) -> Option<Option<Reg>> {
    if names::is_none(id) {
        return Some(None);
    }
    names::general(id).map(|part| Some(part.reg))
}

/// Mends what capstone 5.0.6 gets wrong.
fn correct(_raw: &Raw, _found: &mut MemOperand) {}

/// Where an implicit access is.
fn at(raw: &Raw, base: Reg, disp: i64, width: u16) -> MemOperand {
    MemOperand {
        base: Some(base),
        disp,
        narrow: raw.arch.pointer_size() == 4,
        implicit_stack: true,
        ..MemOperand::new(width)
    }
}

/// What the instruction pushes or pops.
fn implicit(raw: &Raw) -> Option<Option<MemOperand>> {
    let sp = stack_pointer(raw.arch);
    let pointer = raw.arch.pointer_size() as u16;
    let push = |width: u16| MemOperand {
        write: true,
        ..at(raw, sp, -i64::from(width), width)
    };
    let pop = |base: Reg, width: u16| MemOperand {
        read: true,
        ..at(raw, base, 0, width)
    };
    Some(Some(match raw.name {
        "push" | "pushf" | "pushfd" | "pushfq" => push(raw.stack_width()),
        "pop" | "popf" | "popfd" | "popfq" => pop(sp, raw.stack_width()),
        "call" => push(pointer),
        "ret" => pop(sp, pointer),
        "retf" => pop(sp, 2 * 4),
        "retfq" => pop(sp, 2 * 8),
        "iretd" => pop(sp, 3 * 4),
        "iretq" => pop(sp, 5 * 8),
        "pushal" => push(8 * 4),
        "pushaw" => push(8 * 2),
        "popal" => pop(sp, 8 * 4),
        "popaw" => pop(sp, 8 * 2),
        "leave" => pop(frame_pointer(raw.arch), pointer),
        "enter" if raw.immediate(1) == Some(0) => push(pointer),
        "enter" => return None,
        _ => return Some(None),
    }))
}
