//! The memory operands of an x86 or x64 instruction.

use capstone::RegId;
use capstone::arch::x86::{X86OpMem, X86Operand, X86OperandType};

use super::decode::Raw;
use super::names;
use crate::decode::MemOperand;
use crate::profile::Arch;
use crate::registers::Reg;
use crate::{frame_pointer, stack_pointer};

type Operands = [Option<MemOperand>; 2];

/// The operands, explicit ones first. `None` for a form that they cannot state: vector gather and
/// scatter, `xlat`, `bt` and its like at a bit offset in a register, 16-bit addressing, far transfers,
/// `xsave`, `maskmovdqu`, and `enter` with nesting.
pub(super) fn operands(raw: &Raw) -> Option<Operands> {
    let mut found = Vec::new();
    if !is_address_only(raw.name) {
        for (position, operand) in raw.operands.iter().enumerate() {
            if let X86OperandType::Mem(mem) = &operand.op_type {
                found.push(explicit(raw, position, operand, mem)?);
            }
        }
    }
    if is_unstated(raw) {
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
    matches!(name, "lea" | "nop" | "invlpg" | "ud0" | "ud1") || name.starts_with("prefetch")
}

/// Instructions whose accesses take more than two operands with a fixed address and width.
fn is_unstated(raw: &Raw) -> bool {
    matches!(
        raw.name,
        "xlatb" | "lcall" | "ljmp" | "maskmovdqu" | "vmaskmovdqu"
    ) || raw.name.starts_with("xsave")
        || raw.name.starts_with("xrstor")
        || raw.far
}

fn is_bit_string(name: &str) -> bool {
    matches!(name, "bt" | "bts" | "btr" | "btc")
}

/// An operand that the instruction spells out.
fn explicit(
    raw: &Raw,
    position: usize,
    operand: &X86Operand,
    mem: &X86OpMem,
) -> Option<MemOperand> {
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
    if found.base.is_none() && found.index.is_none() {
        found.disp = raw.arch.truncate(found.disp as u64) as i64;
    }
    (found.read, found.write) = access(raw.name, position);
    // The stack pointer has been incremented when the destination of a pop is computed
    // (Intel SDM vol. 2, POP).
    if raw.name == "pop" && found.base == Some(stack_pointer(raw.arch)) {
        found.disp += i64::from(raw.stack_width());
    }
    found.width = width(raw, operand);
    Some(found)
}

/// `Some(None)` for no register, `None` for one that is no general register.
fn general(id: RegId) -> Option<Option<Reg>> {
    if names::is_none(id) {
        return Some(None);
    }
    names::general(id).map(|part| Some(part.reg))
}

/// Whether the memory operand at `position` is read and written. Capstone's own answer is not used:
/// it calls the stores of `movups` and `setne` loads and knows no access of `test`.
fn access(name: &str, position: usize) -> (bool, bool) {
    if name == "xchg" || position == 0 && UPDATES.contains(&name) {
        (true, true)
    } else if position > 0 || READS.contains(&name) || is_x87_load(name) {
        (true, false)
    } else {
        (false, true)
    }
}

/// Instructions that read and write a memory operand.
const UPDATES: [&str; 28] = [
    "adc",
    "add",
    "and",
    "btc",
    "btr",
    "bts",
    "cmpxchg",
    "cmpxchg16b",
    "cmpxchg8b",
    "dec",
    "inc",
    "neg",
    "not",
    "or",
    "rcl",
    "rcr",
    "rol",
    "ror",
    "sal",
    "sar",
    "sbb",
    "shl",
    "shld",
    "shr",
    "shrd",
    "sub",
    "xadd",
    "xor",
];

/// Instructions that only read a memory operand in first place, where others write.
const READS: [&str; 36] = [
    "bt",
    "call",
    "clflush",
    "clflushopt",
    "clwb",
    "cmp",
    "cmpsb",
    "cmpsd",
    "cmpsq",
    "cmpsw",
    "div",
    "fxrstor",
    "fxrstor64",
    "idiv",
    "imul",
    "jmp",
    "ldmxcsr",
    "lgdt",
    "lidt",
    "lldt",
    "lmsw",
    "ltr",
    "mul",
    "push",
    "scasb",
    "scasd",
    "scasq",
    "scasw",
    "test",
    "verr",
    "verw",
    "vldmxcsr",
    "lodsb",
    "lodsd",
    "lodsq",
    "lodsw",
];

/// x87 instructions have a memory operand in first place, which they read unless they store.
fn is_x87_load(name: &str) -> bool {
    let stores = ["fst", "fist", "fnst", "fnsave", "fbstp", "fxsave"];
    name.starts_with('f') && !stores.iter().any(|store| name.starts_with(store))
}

/// Bytes accessed, where capstone is wrong about them.
fn width(raw: &Raw, operand: &X86Operand) -> u16 {
    match raw.name {
        "fxsave" | "fxrstor" | "fxsave64" | "fxrstor64" => 512,
        "comisd" | "ucomisd" => 8,
        "comiss" | "ucomiss" => 4,
        // A 16-bit prefix loses against REX.W, which capstone overlooks here.
        "push" | "pop" => raw.stack_width(),
        "bsf" | "bsr" | "movbe" => {
            let register = raw.general(0).or(raw.general(1));
            register.map_or(0, |part| u16::from(part.width))
        }
        _ => u16::from(operand.size),
    }
}

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

/// Bytes that a return from an interrupt to the same privilege pops: pc, selector and flags, and
/// in 64-bit mode always the stack pointer and its selector too (Intel SDM vol. 2, IRET).
fn interrupt_frame(raw: &Raw, each: u16) -> u16 {
    match raw.arch.pointer_size() {
        4 => 3 * each,
        _ => 5 * each,
    }
}

/// What the instruction pushes or pops.
fn implicit(raw: &Raw) -> Option<Option<MemOperand>> {
    let sp = stack_pointer(raw.arch);
    // 64-bit mode has no 16-bit near calls.
    let near = match raw.arch {
        Arch::X86 => raw.stack_width(),
        _ => 8,
    };
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
        "call" => push(near),
        "ret" => pop(sp, near),
        "retf" if raw.prefixes.operand_size => pop(sp, 2 * 2),
        "retf" => pop(sp, 2 * 4),
        "retfq" => pop(sp, 2 * 8),
        "iret" => pop(sp, interrupt_frame(raw, 2)),
        "iretd" => pop(sp, interrupt_frame(raw, 4)),
        "iretq" => pop(sp, interrupt_frame(raw, 8)),
        "pushal" => push(8 * 4),
        "pushaw" => push(8 * 2),
        "popal" => pop(sp, 8 * 4),
        "popaw" => pop(sp, 8 * 2),
        "leave" => pop(frame_pointer(raw.arch), raw.stack_width()),
        "enter" if raw.immediate(1) == Some(0) => push(raw.stack_width()),
        "enter" => return None,
        _ => return Some(None),
    }))
}
