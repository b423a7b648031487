//! The fields of an A64 instruction word.
//!
//! A64 is regular enough to read its facts from the encoding itself (Arm ARM C4.1), which the
//! disassembler's operands do not give: access widths, index modes, ordering.

use crate::registers::Reg;

/// An instruction word and its address.
#[derive(Clone, Copy)]
pub(super) struct Word {
    pub bits: u32,
    pub addr: u64,
}

impl Word {
    /// Bits `high` down to `low`.
    pub fn field(self, high: u32, low: u32) -> u32 {
        self.bits >> low & (u32::MAX >> (31 - (high - low)))
    }

    /// Bits `high` down to `low` as a signed number.
    pub fn signed(self, high: u32, low: u32) -> i64 {
        let unused = 31 - (high - low);
        i64::from((self.field(high, low) << unused) as i32 >> unused)
    }

    /// Whether bit `n` is set.
    pub fn bit(self, n: u32) -> bool {
        self.field(n, n) == 1
    }

    /// Whether the bits under `mask` are `value`.
    pub fn is(self, mask: u32, value: u32) -> bool {
        self.bits & mask == value
    }

    /// The general register in the field from bit `low`; 31 is the zero register: `None`.
    pub fn x(self, low: u32) -> Option<Reg> {
        match self.field(low + 4, low) {
            31 => None,
            n => Some(Reg(n as u8)),
        }
    }

    /// The general register in the field from bit `low`; 31 is the stack pointer.
    pub fn x_or_sp(self, low: u32) -> Reg {
        Reg(self.field(low + 4, low) as u8)
    }

    /// The vector register in the field from bit `low`.
    pub fn v(self, low: u32) -> Reg {
        Reg::vector(self.field(low + 4, low) as u8)
    }

    /// The address `words` instructions away.
    pub fn relative(self, words: i64) -> u64 {
        self.addr.wrapping_add((words * 4) as u64)
    }
}
