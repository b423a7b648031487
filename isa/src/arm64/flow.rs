//! Where an A64 instruction goes (Arm ARM C4.1.65, "Branches, Exception Generating and System
//! instructions").

use super::bits::Word;
use crate::decode::Flow;

pub(super) fn flow(word: Word) -> Flow {
    let imm26 = word.relative(word.signed(25, 0));
    let imm19 = word.relative(word.signed(23, 5));
    let imm14 = word.relative(word.signed(18, 5));
    if word.is(0xFC00_0000, 0x1400_0000) {
        return jump(imm26); // b
    }
    if word.is(0xFC00_0000, 0x9400_0000) {
        return Flow::Call {
            target: Some(imm26), // bl
        };
    }
    if word.is(0xFF00_0000, 0x5400_0000) {
        return match word.field(3, 0) {
            14 | 15 => jump(imm19), // b.al, b.nv: both always
            _ => Flow::Branch { target: imm19 },
        };
    }
    if word.is(0x7E00_0000, 0x3400_0000) {
        return Flow::Branch { target: imm19 }; // cbz, cbnz
    }
    if word.is(0x7E00_0000, 0x3600_0000) {
        return Flow::Branch { target: imm14 }; // tbz, tbnz
    }
    if word.is(0xFE00_0000, 0xD600_0000) {
        // Bit 24 marks the pointer-authenticating forms with a modifier.
        return match word.field(23, 21) {
            0 => Flow::Jump { target: None },
            1 => Flow::Call { target: None },
            _ => Flow::Return, // ret, eret, drps
        };
    }
    // Exception generation, and udf.
    if word.is(0xFF00_0000, 0xD400_0000) || word.is(0xFFFF_0000, 0) {
        return Flow::Trap;
    }
    Flow::Next
}

fn jump(target: u64) -> Flow {
    Flow::Jump {
        target: Some(target),
    }
}
