//! Unwind codes of Arm64: the `.xdata` record of a function (Microsoft, "ARM64 exception
//! handling", ".xdata records").

use super::unwind::{Epilogue, Function};
use crate::registers::Reg;
use crate::unwind::ImageUnwind;

const FP: Reg = Reg(29);
const LR: Reg = Reg(30);

/// What one instruction of a prologue did, or of an epilogue does: how to undo the former.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    /// Frees bytes of stack.
    Allocate(u64),
    /// Loads one or two registers from `offset` bytes above the stack pointer, then frees `size`
    /// bytes.
    Save {
        first: Reg,
        second: Option<Reg>,
        offset: u64,
        size: u64,
    },
    /// Sets the stack pointer to `offset` bytes below the frame pointer.
    SetFrame { offset: u64 },
    /// Has no effect on unwinding.
    Nothing,
    /// Not an instruction: what follows was done by the fragment that this one belongs to.
    EndOfFragment,
}

impl Operation {
    pub fn save(first: Reg, second: Reg, offset: u64) -> Operation {
        Operation::Save {
            first,
            second: Some(second),
            offset,
            size: 0,
        }
    }

    /// The save of the register pair after this one, in the next slot: x19 x20 to x27 x28, then
    /// d8 d9 to d14 d15.
    fn next(self) -> Option<Operation> {
        let Operation::Save {
            first,
            second: Some(second),
            offset,
            ..
        } = self
        else {
            return None;
        };
        let (first, second) = match first.0 {
            19..=25 | 72..=76 => (Reg(first.0 + 2), Reg(second.0 + 2)),
            27 => (Reg::vector(8), Reg::vector(9)),
            _ => return None,
        };
        Some(Operation::save(first, second, offset + 16))
    }
}

/// Reads the record at `rva`, of the function at `begin`.
pub(super) fn read(image: &ImageUnwind, begin: u64, rva: u32) -> Option<Function> {
    let mut at = image.base + u64::from(rva);
    let mut word = || {
        let value = image.memory.read_u32(at)?;
        at += 4;
        Some(value)
    };
    let header = word()?;
    let length = u64::from(header & 0x3_FFFF);
    let version = header >> 18 & 3;
    let single_epilogue = header >> 21 & 1 == 1;
    let (mut count, mut words) = (header >> 22 & 0x1F, header >> 27);
    if version != 0 {
        return None;
    }
    if count == 0 && words == 0 {
        let extension = word()?;
        (count, words) = (extension & 0xFFFF, extension >> 16 & 0xFF);
    }
    let mut scopes = Vec::new();
    if !single_epilogue {
        for _ in 0..count {
            let scope = word()?;
            scopes.push((u64::from(scope & 0x3_FFFF), (scope >> 22) as usize));
        }
    }
    let mut codes = vec![0; words as usize * 4];
    if !image.memory.read(at, &mut codes) {
        return None;
    }
    let mut epilogues = Vec::new();
    for (start, index) in scopes {
        let operations = decode(codes.get(index..)?)?;
        epilogues.push(Epilogue { start, operations });
    }
    if single_epilogue {
        // Its place is the end of the function; the count is its index.
        let operations = decode(codes.get(count as usize..)?)?;
        epilogues.push(Epilogue::at_end(length, operations)?);
    }
    Some(Function {
        begin,
        length,
        prologue: decode(&codes)?,
        epilogues,
    })
}

/// Decodes codes up to `end`. `None` for a reserved code, or if `end` is missing.
fn decode(mut codes: &[u8]) -> Option<Vec<Operation>> {
    let mut operations = Vec::new();
    // Positions of save_next, which refers to the operation after it.
    let mut nexts = Vec::new();
    loop {
        let size = length(*codes.first()?);
        let mut bytes = [0; 4];
        bytes[..size].copy_from_slice(codes.get(..size)?);
        codes = &codes[size..];
        match bytes[0] {
            0xE4 => break,
            0xE6 => nexts.push(operations.len()),
            _ => {}
        }
        operations.push(operation(bytes)?);
    }
    for position in nexts.into_iter().rev() {
        operations[position] = operations.get(position + 1)?.next()?;
    }
    Some(operations)
}

/// Bytes in the code that starts with `first`.
fn length(first: u8) -> usize {
    match first {
        0xC0..=0xDF | 0xE2 => 2,
        0xE0 => 4,
        _ => 1,
    }
}

/// What a code says. The names in the comments are those of the table "Unwind codes".
fn operation(bytes: [u8; 4]) -> Option<Operation> {
    let short = u64::from(bytes[0]);
    let long = u64::from(bytes[0]) << 8 | u64::from(bytes[1]);
    let z = (long & 0x3F) * 8;
    let pair = |first: Reg, second: Reg, pre: bool, z: u64| Operation::Save {
        first,
        second: Some(second),
        offset: if pre { 0 } else { z },
        size: if pre { z + 8 } else { 0 },
    };
    let one = |first: Reg, pre: bool, z: u64| Operation::Save {
        first,
        second: None,
        offset: if pre { 0 } else { z },
        size: if pre { z + 8 } else { 0 },
    };
    // Registers of the two-byte codes: x19 and up, d8 and up.
    let x = |n: u64| Reg(19 + n as u8);
    let d = |n: u64| Reg::vector(8 + n as u8);
    let n3 = long >> 6 & 7;
    let n4 = long >> 6 & 0xF;
    Some(match bytes[0] {
        0x00..=0x1F => Operation::Allocate((short & 0x1F) * 16), // alloc_s
        0x20..=0x3F => Operation::Save {
            // save_r19r20_x, whose size is not one less than encoded
            first: x(0),
            second: Some(x(1)),
            offset: 0,
            size: (short & 0x1F) * 8,
        },
        0x40..=0x7F => pair(FP, LR, false, (short & 0x3F) * 8), // save_fplr
        0x80..=0xBF => pair(FP, LR, true, (short & 0x3F) * 8),  // save_fplr_x
        0xC0..=0xC7 => Operation::Allocate((long & 0x7FF) * 16), // alloc_m
        0xC8..=0xCB if n4 < 11 => pair(x(n4), x(n4 + 1), false, z), // save_regp
        0xCC..=0xCF if n4 < 11 => pair(x(n4), x(n4 + 1), true, z), // save_regp_x
        0xD0..=0xD3 if n4 < 12 => one(x(n4), false, z),         // save_reg
        0xD4..=0xD5 if long >> 5 & 0xF < 12 => {
            one(x(long >> 5 & 0xF), true, (long & 0x1F) * 8) // save_reg_x
        }
        0xD6..=0xD7 if n3 < 6 => pair(x(2 * n3), LR, false, z), // save_lrpair
        0xD8..=0xD9 => pair(d(n3), d(n3 + 1), false, z),        // save_fregp
        0xDA..=0xDB => pair(d(n3), d(n3 + 1), true, z),         // save_fregp_x
        0xDC..=0xDD => one(d(n3), false, z),                    // save_freg
        0xDE => one(d(long >> 5 & 7), true, (long & 0x1F) * 8), // save_freg_x
        0xE0 => {
            let [_, high, middle, low] = bytes;
            Operation::Allocate(u64::from(u32::from_be_bytes([0, high, middle, low])) * 16) // alloc_l
        }
        0xE1 => Operation::SetFrame { offset: 0 }, // set_fp
        0xE2 => Operation::SetFrame {
            offset: u64::from(bytes[1]) * 8, // add_fp
        },
        0xE3 | 0xE6 | 0xFC => Operation::Nothing, // nop, save_next until it is resolved, pac_sign_lr
        0xE5 => Operation::EndOfFragment,         // end_c
        _ => return None, // reserved, or stacks that only the kernel's own assembler code builds
    })
}
