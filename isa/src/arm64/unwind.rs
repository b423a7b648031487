//! Leaving a frame on Arm64 by its unwind data (Microsoft, "ARM64 exception handling").

use super::packed;
use super::unwind_codes::{self, Operation};
use crate::memory::Mem;
use crate::profile::Arch;
use crate::registers::{Reg, RegisterAccess, Registers};
use crate::unwind::{ImageUnwind, Step, leaf};

const SP: Reg = Reg(31);
const FP: Reg = Reg(29);
const LR: usize = 30;

/// Bytes in an instruction.
const INSTRUCTION: u64 = 4;

pub(super) fn caller(step: &Step, regs: &Registers) -> Option<Registers> {
    // A call may be the last instruction of a function: its return address is outside.
    let back = if step.interrupted { 0 } else { INSTRUCTION };
    let inside = regs.pc.wrapping_sub(back);
    let image = step.images.image(inside)?;
    let Some(function) = Function::lookup(&image, inside)? else {
        return leaf(Arch::Arm64, regs, step.mem);
    };
    let done = regs.pc.wrapping_sub(function.begin) / INSTRUCTION;
    undo(step.mem, regs, function.operations(done, step.interrupted))
}

/// The unwind data of one function or function fragment.
pub(super) struct Function {
    /// Address of the first instruction.
    pub begin: u64,
    /// Length in instructions.
    pub length: u64,
    /// What undoes the prologue, last instruction first.
    pub prologue: Vec<Operation>,
    pub epilogues: Vec<Epilogue>,
}

/// One epilogue of a function.
pub(super) struct Epilogue {
    /// Its first instruction, counted from the function's.
    pub start: u64,
    /// What its instructions do, the final return not included.
    pub operations: Vec<Operation>,
}

impl Epilogue {
    /// The epilogue at the end of a function of `length` instructions.
    pub fn at_end(length: u64, operations: Vec<Operation>) -> Option<Epilogue> {
        let mut epilogue = Epilogue {
            start: 0,
            operations,
        };
        epilogue.start = length.checked_sub(epilogue.length())?;
        Some(epilogue)
    }

    /// Its instructions: one per operation, and the return, unless it ends a fragment only.
    fn length(&self) -> u64 {
        let own = own_operations(&self.operations);
        if own < self.operations.len() {
            own as u64
        } else {
            own as u64 + 1
        }
    }
}

/// Operations of this fragment: what stands after them in the list was done by its parent.
fn own_operations(operations: &[Operation]) -> usize {
    let end = operations
        .iter()
        .position(|operation| *operation == Operation::EndOfFragment);
    end.unwrap_or(operations.len())
}

impl Function {
    /// The function around `pc`: `Some(None)` if the table has none, `None` if the table cannot be
    /// read or understood.
    fn lookup(image: &ImageUnwind, pc: u64) -> Option<Option<Function>> {
        let rva = u32::try_from(pc.checked_sub(image.base)?).ok()?;
        let word = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
        let entries = image.pdata.chunks_exact(8);
        let Some(entry) = entries.take_while(|entry| word(&entry[..4]) <= rva).last() else {
            return Some(None);
        };
        let begin = image.base + u64::from(word(&entry[..4]));
        let data = word(&entry[4..]);
        let function = match data & 3 {
            0 => unwind_codes::read(image, begin, data)?,
            1 | 2 => packed::expand(begin, data)?,
            _ => return None,
        };
        let inside = pc < begin + function.length * INSTRUCTION;
        Some(inside.then_some(function))
    }

    /// The operations still to undo when `done` instructions of the function have run.
    fn operations(&self, done: u64, may_be_in_epilogue: bool) -> &[Operation] {
        if may_be_in_epilogue {
            for epilogue in &self.epilogues {
                if let Some(done) = done.checked_sub(epilogue.start)
                    && done < epilogue.length()
                {
                    return &epilogue.operations[done as usize..];
                }
            }
        }
        let own = own_operations(&self.prologue) as u64;
        &self.prologue[own.saturating_sub(done) as usize..]
    }
}

/// Performs the operations and returns to the link register.
fn undo(mem: &dyn Mem, regs: &Registers, operations: &[Operation]) -> Option<Registers> {
    let mut caller = regs.clone();
    for operation in operations {
        match *operation {
            Operation::Allocate(size) => {
                caller.set(SP, caller.get(SP).wrapping_add(size));
            }
            Operation::Save {
                first,
                second,
                offset,
                size,
            } => {
                let at = caller.get(SP).wrapping_add(offset);
                caller.set(first, mem.read_u64(at)?);
                if let Some(second) = second {
                    caller.set(second, mem.read_u64(at.wrapping_add(8))?);
                }
                caller.set(SP, caller.get(SP).wrapping_add(size));
            }
            Operation::SetFrame { offset } => {
                caller.set(SP, caller.get(FP).wrapping_sub(offset));
            }
            Operation::Nothing | Operation::EndOfFragment => {}
        }
    }
    caller.pc = caller.gpr[LR];
    Some(caller)
}
