//! The registers that an A64 instruction reads and writes.
//!
//! Branches, system instructions and integer arithmetic are read from the encoding (Arm ARM C4.1):
//! capstone 5.0.6 says that `cmp` writes its first operand and that `cbz` reads the flags. Vector
//! and floating-point instructions are left to capstone; as it forgets which of them keep part of
//! their destination, all count as reading it.

use capstone::{Capstone, RegId};

use super::bits::Word;
use super::memory::{Access, Writeback};
use super::names;
use crate::decode::RegSet;
use crate::registers::Reg;

const LINK: Reg = Reg(30);

/// `NZCV` as the register field of `mrs` and `msr`.
const NZCV: u32 = super::special::sysreg(3, 4, 2, 0);

/// Registers read, and registers written.
#[derive(Default)]
pub(super) struct Effects {
    pub reads: RegSet,
    pub writes: RegSet,
}

impl Effects {
    fn read(&mut self, registers: impl IntoIterator<Item = Reg>) {
        registers.into_iter().for_each(|r| self.reads.insert(r));
    }

    fn write(&mut self, registers: impl IntoIterator<Item = Reg>) {
        registers.into_iter().for_each(|r| self.writes.insert(r));
    }
}

/// The effects of a load or store.
pub(super) fn of_access(word: Word, access: &Access) -> Effects {
    let mut effects = Effects {
        reads: access.stored,
        writes: access.loaded.iter().copied().collect(),
    };
    effects.read(access.operand.base);
    effects.read(access.operand.index);
    effects.write(access.status);
    if let Some(writeback) = access.writeback {
        effects.write([word.x_or_sp(5)]);
        if let Writeback::Register(r) = writeback {
            effects.read([r]);
        }
    }
    effects
}

/// The effects of any other instruction.
pub(super) fn of_word(engine: &Capstone, insn: &capstone::Insn, word: Word) -> Option<Effects> {
    let from_encoding = match word.field(28, 25) {
        0b0000 => Some(Effects::default()), // udf
        0b1000 | 0b1001 => immediate(word),
        0b1010 | 0b1011 => branch_or_system(word),
        0b0101 | 0b1101 => register(word),
        _ => None,
    };
    from_encoding.or_else(|| named(engine, insn, word))
}

/// Arithmetic with an immediate (C4.1.64).
fn immediate(word: Word) -> Option<Effects> {
    let mut effects = Effects::default();
    let opc = word.field(30, 29);
    match word.field(25, 23) {
        0 | 1 => effects.write(word.x(0)), // adr, adrp
        2 => {
            effects.read([word.x_or_sp(5)]);
            add_destination(word, &mut effects);
        }
        4 if opc == 3 => {
            effects.read(word.x(5));
            effects.write(word.x(0));
            effects.write([Reg::FLAGS]);
        }
        4 => {
            effects.read(word.x(5));
            effects.write([word.x_or_sp(0)]);
        }
        5 => {
            effects.read(word.x(0).filter(|_| opc == 3)); // movk
            effects.write(word.x(0));
        }
        6 => {
            effects.read(word.x(5));
            effects.read(word.x(0).filter(|_| opc == 1)); // bfm
            effects.write(word.x(0));
        }
        7 => {
            effects.read([word.x(5), word.x(16)].into_iter().flatten());
            effects.write(word.x(0));
        }
        _ => return None, // memory tags
    }
    Some(effects)
}

/// The destination of an addition: the flag-setting ones write the zero register, not sp.
fn add_destination(word: Word, effects: &mut Effects) {
    if word.bit(29) {
        effects.write(word.x(0));
        effects.write([Reg::FLAGS]);
    } else {
        effects.write([word.x_or_sp(0)]);
    }
}

/// Arithmetic with registers (C4.1.67).
fn register(word: Word) -> Option<Effects> {
    let mut effects = Effects::default();
    let sets_flags = word.bit(29);
    if !word.bit(28) {
        let arithmetic = word.bit(24);
        let extended = arithmetic && word.bit(21);
        effects.read(word.x(16));
        if extended {
            effects.read([word.x_or_sp(5)]);
            add_destination(word, &mut effects);
            return Some(effects);
        }
        effects.read(word.x(5));
        effects.write(word.x(0));
        if if arithmetic {
            sets_flags
        } else {
            word.field(30, 29) == 3
        } {
            effects.write([Reg::FLAGS]);
        }
        return Some(effects);
    }
    effects.read(word.x(5));
    match word.field(24, 21) {
        0 if word.field(15, 10) == 0 => {
            // adc, sbc
            effects.read(word.x(16));
            effects.read([Reg::FLAGS]);
            effects.write(word.x(0));
            effects.write(sets_flags.then_some(Reg::FLAGS));
        }
        2 => {
            // ccmp, ccmn: the second operand is an immediate if bit 11 is set
            effects.read(word.x(16).filter(|_| !word.bit(11)));
            effects.read([Reg::FLAGS]);
            effects.write([Reg::FLAGS]);
        }
        4 => {
            effects.read(word.x(16));
            effects.read([Reg::FLAGS]);
            effects.write(word.x(0));
        }
        6 if word.bit(30) && word.field(20, 16) == 0 => effects.write(word.x(0)),
        6 if !word.bit(30) && !sets_flags && word.field(15, 10) != 12 => {
            effects.read(word.x(16));
            effects.write(word.x(0));
        }
        8.. => {
            effects.read([word.x(16), word.x(10)].into_iter().flatten());
            effects.write(word.x(0));
        }
        _ => return None, // flag manipulation, pointer authentication, memory tags
    }
    Some(effects)
}

/// Branches, exceptions and system instructions (C4.1.65).
fn branch_or_system(word: Word) -> Option<Effects> {
    let mut effects = Effects::default();
    match word.field(31, 29) {
        0 | 4 => effects.write(word.bit(31).then_some(LINK)), // b, bl
        1 | 5 => effects.read(word.x(0)),                     // cbz, tbz
        2 => effects.read((word.field(3, 1) != 7).then_some(Reg::FLAGS)),
        _ if word.is(0xFF00_0000, 0xD400_0000) => {}
        _ if word.is(0xFE00_0000, 0xD600_0000) => {
            // Bit 11 marks pointer authentication, whose further sources the disassembler knows.
            if word.bit(11) {
                return None;
            }
            effects.read(word.x(5));
            effects.write((word.field(24, 21) == 1).then_some(LINK));
        }
        _ => return system(word),
    }
    Some(effects)
}

fn system(word: Word) -> Option<Effects> {
    let mut effects = Effects::default();
    let reads = word.bit(21);
    let nzcv = (word.field(20, 5) == NZCV).then_some(Reg::FLAGS);
    if word.is(0xFFD0_0000, 0xD510_0000) && reads {
        effects.read(nzcv);
        effects.write(word.x(0)); // mrs
    } else if word.is(0xFFD0_0000, 0xD510_0000) {
        effects.read(word.x(0)); // msr
        effects.write(nzcv);
    } else if word.is(0xFFD8_0000, 0xD508_0000) {
        match reads {
            true => effects.write(word.x(0)), // sysl
            false => effects.read(word.x(0)), // sys
        }
    } else if word.is(0xFFF8_F01F, 0xD500_401F) {
        // cfinv, xaflag, axflag
        let flags = (word.field(18, 16) == 0 && word.field(7, 5) < 3).then_some(Reg::FLAGS);
        effects.read(flags);
        effects.write(flags);
    } else if word.is(0xFFFF_F01F, 0xD503_201F) {
        return None; // hints, among them pointer authentication
    }
    Some(effects)
}

/// The effects as capstone names them. `None` for vector instructions of which it names none:
/// half precision and later extensions.
fn named(engine: &Capstone, insn: &capstone::Insn, word: Word) -> Option<Effects> {
    let detail = engine.insn_detail(insn).ok()?;
    let registers =
        |ids: &[RegId]| -> RegSet { ids.iter().filter_map(|id| names::register(*id)).collect() };
    let mut effects = Effects {
        reads: registers(detail.regs_read()),
        writes: registers(detail.regs_write()),
    };
    if word.is(0x0E00_0000, 0x0E00_0000) {
        if effects.writes.is_empty() {
            return None;
        }
        let destinations = effects.writes.iter().filter(|r| *r >= Reg::VECTOR);
        effects.read(destinations.collect::<Vec<_>>());
        if word.is(0xBFE0_8C00, 0x0E00_0000) {
            // tbl, tbx: a table of up to four registers
            let first = word.field(9, 5);
            let last = first + word.field(14, 13);
            effects.read((first..=last).map(|n| Reg::vector((n % 32) as u8)));
            effects.read([word.v(16)]);
        } else if word.is(0xBFE0_FC00, 0x0E60_1C00) {
            effects.read([word.v(5), word.v(16)]); // bic
        }
    }
    Some(effects)
}
