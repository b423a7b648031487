//! Leaving a frame on x64 by its unwind data (Microsoft, "x64 exception handling").

use super::epilogue;
use crate::memory::Mem;
use crate::profile::Arch;
use crate::registers::{Reg, Registers};
use crate::unwind::{ImageUnwind, Step, leaf};

const RSP: usize = 4;

/// Links of chained unwind data that are followed before they count as a loop.
const CHAIN_LIMIT: usize = 32;

const UNW_FLAG_CHAININFO: u8 = 4;

pub(super) fn caller(step: &Step, regs: &Registers) -> Option<Registers> {
    // A call may be the last instruction of a function: its return address is outside.
    let inside = if step.interrupted {
        regs.pc
    } else {
        regs.pc.wrapping_sub(1)
    };
    let image = step.images.image(inside)?;
    let Some(entry) = lookup(&image, inside) else {
        return leaf(Arch::X64, regs, step.mem);
    };
    let offset = regs.pc.wrapping_sub(image.base + u64::from(entry.begin));
    let info = UnwindInfo::read(&image, entry.info)?;
    if step.interrupted && offset >= u64::from(info.prologue_size) {
        let function = image.base + u64::from(entry.begin)..image.base + u64::from(entry.end);
        let frame = (info.frame_register != 0).then_some(Reg(info.frame_register));
        if let Some(caller) = epilogue::finish(step.mem, image.memory, regs, function, frame) {
            return Some(caller);
        }
    }
    undo(step.mem, &image, regs, info, offset)
}

/// One `RUNTIME_FUNCTION`; addresses are relative to the image.
#[derive(Clone, Copy)]
struct RuntimeFunction {
    begin: u32,
    end: u32,
    info: u32,
}

impl RuntimeFunction {
    const SIZE: usize = 12;

    fn parse(bytes: &[u8]) -> Option<RuntimeFunction> {
        let word = |n: usize| Some(u32::from_le_bytes(bytes.get(n..n + 4)?.try_into().ok()?));
        Some(RuntimeFunction {
            begin: word(0)?,
            end: word(4)?,
            info: word(8)?,
        })
    }
}

/// The function table entry of the function around `pc`; the table is sorted.
fn lookup(image: &ImageUnwind, pc: u64) -> Option<RuntimeFunction> {
    let rva = u32::try_from(pc.checked_sub(image.base)?).ok()?;
    let entries = image.pdata.chunks_exact(RuntimeFunction::SIZE);
    entries
        .filter_map(RuntimeFunction::parse)
        .find(|entry| (entry.begin..entry.end).contains(&rva))
}

/// An `UNWIND_INFO`.
struct UnwindInfo {
    prologue_size: u8,
    /// 0 for none.
    frame_register: u8,
    /// What the frame register is above the stack pointer, in bytes.
    frame_offset: u64,
    codes: Vec<[u8; 2]>,
    chained: Option<RuntimeFunction>,
}

impl UnwindInfo {
    fn read(image: &ImageUnwind, rva: u32) -> Option<UnwindInfo> {
        let at = image.base + u64::from(rva);
        let mut header = [0; 4];
        if !image.memory.read(at, &mut header) {
            return None;
        }
        let [version_and_flags, prologue_size, count, frame] = header;
        if !matches!(version_and_flags & 7, 1 | 2) {
            return None;
        }
        let mut slots = vec![0; 2 * usize::from(count)];
        if !image.memory.read(at + 4, &mut slots) {
            return None;
        }
        let chained = if version_and_flags >> 3 & UNW_FLAG_CHAININFO != 0 {
            // The slots are padded to an even number.
            let at = at + 4 + 2 * u64::from(count).next_multiple_of(2);
            let mut entry = [0; RuntimeFunction::SIZE];
            if !image.memory.read(at, &mut entry) {
                return None;
            }
            Some(RuntimeFunction::parse(&entry)?)
        } else {
            None
        };
        Some(UnwindInfo {
            prologue_size,
            frame_register: frame & 0xF,
            frame_offset: u64::from(frame >> 4) * 16,
            codes: slots
                .chunks_exact(2)
                .map(|slot| [slot[0], slot[1]])
                .collect(),
            chained,
        })
    }

    /// Whether the frame register has been set `offset` bytes into the function. A chained part
    /// repeats the register of its parent, but not the code that sets it.
    fn has_frame(&self, offset: u64) -> bool {
        let sets =
            |code: &Code| code.operation == Operation::SetFrame && u64::from(code.offset) <= offset;
        self.frame_register != 0
            && (offset >= u64::from(self.prologue_size)
                || self
                    .operations()
                    .is_some_and(|codes| codes.iter().any(sets)))
    }

    /// The codes decoded; `None` if one is cut off or unknown.
    fn operations(&self) -> Option<Vec<Code>> {
        let mut slots = self.codes.iter().copied();
        let mut codes = Vec::new();
        while let Some([offset, operation]) = slots.next() {
            let operation = Operation::decode(operation & 0xF, operation >> 4, &mut slots)?;
            codes.push(Code { offset, operation });
        }
        Some(codes)
    }
}

struct Code {
    /// Where the instruction ends, in bytes from the function's start.
    offset: u8,
    operation: Operation,
}

/// What a prologue instruction did.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Push(Reg),
    Allocate(u64),
    SetFrame,
    /// Stored a general register at an offset from the frame's base.
    Save(Reg, u64),
    /// Stored a vector register.
    SaveVector(Reg, u64),
    /// The processor pushed an interrupt frame, above an error code or not.
    MachineFrame {
        error_code: bool,
    },
    /// Says something about epilogues (version 2), which are found by their code here.
    Nothing,
}

impl Operation {
    /// Decodes an operation and its info, taking the slots that belong to it.
    fn decode(
        operation: u8,
        info: u8,
        slots: &mut impl Iterator<Item = [u8; 2]>,
    ) -> Option<Operation> {
        let mut short = || slots.next().map(|slot| u64::from(u16::from_le_bytes(slot)));
        let mut long = |scale: u64| -> Option<u64> {
            match scale {
                1 => Some(short()? | short()? << 16),
                scale => Some(short()? * scale),
            }
        };
        let (reg, vector) = (Reg(info), Reg::vector(info));
        Some(match operation {
            0 => Operation::Push(reg),
            1 if info == 0 => Operation::Allocate(long(8)?),
            1 if info == 1 => Operation::Allocate(long(1)?),
            2 => Operation::Allocate(u64::from(info) * 8 + 8),
            3 => Operation::SetFrame,
            4 => Operation::Save(reg, long(8)?),
            5 => Operation::Save(reg, long(1)?),
            6 => {
                long(8)?;
                Operation::Nothing
            }
            8 => Operation::SaveVector(vector, long(16)?),
            9 => Operation::SaveVector(vector, long(1)?),
            10 if info < 2 => Operation::MachineFrame {
                error_code: info == 1,
            },
            _ => return None,
        })
    }
}

/// Undoes the part of the prologue that has run when `offset` bytes of the function have, and
/// returns from it.
fn undo(
    mem: &dyn Mem,
    image: &ImageUnwind,
    regs: &Registers,
    mut info: UnwindInfo,
    mut offset: u64,
) -> Option<Registers> {
    let mut caller = regs.clone();
    for _ in 0..CHAIN_LIMIT {
        let has_frame = info.has_frame(offset);
        let frame = |regs: &Registers| {
            let register = regs.gpr[usize::from(info.frame_register)];
            register.wrapping_sub(info.frame_offset)
        };
        // Saves are addressed from where rsp was when the frame register was set.
        let base = if has_frame {
            frame(&caller)
        } else {
            caller.gpr[RSP]
        };
        for code in info.operations()? {
            if u64::from(code.offset) > offset {
                continue;
            }
            match code.operation {
                Operation::Push(reg) => caller.gpr[usize::from(reg.0)] = pop(mem, &mut caller)?,
                Operation::Allocate(size) => {
                    caller.gpr[RSP] = caller.gpr[RSP].wrapping_add(size);
                }
                Operation::SetFrame => caller.gpr[RSP] = frame(&caller),
                Operation::Save(reg, at) => {
                    caller.gpr[usize::from(reg.0)] = mem.read_u64(base.wrapping_add(at))?;
                }
                Operation::SaveVector(reg, at) => {
                    caller.vec[usize::from(reg.0 - Reg::VECTOR.0)] =
                        mem.read_u128(base.wrapping_add(at))?;
                }
                Operation::MachineFrame { error_code } => {
                    let frame = caller.gpr[RSP].wrapping_add(if error_code { 8 } else { 0 });
                    caller.pc = mem.read_u64(frame)?;
                    caller.gpr[RSP] = mem.read_u64(frame.wrapping_add(24))?;
                    return Some(caller);
                }
                Operation::Nothing => {}
            }
        }
        let Some(parent) = info.chained else {
            caller.pc = pop(mem, &mut caller)?;
            return Some(caller);
        };
        // The parent's prologue has run completely.
        info = UnwindInfo::read(image, parent.info)?;
        offset = u64::MAX;
    }
    None
}

/// Takes a word from the stack.
pub(super) fn pop(mem: &dyn Mem, regs: &mut Registers) -> Option<u64> {
    let value = mem.read_u64(regs.gpr[RSP])?;
    regs.gpr[RSP] = regs.gpr[RSP].wrapping_add(8);
    Some(value)
}
