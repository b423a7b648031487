//! A64 loads and stores (Arm ARM C4.1.66), read from their encodings.

use super::bits::Word;
use crate::decode::{Atomic, Extend, MemOperand, Ordering, RegSet};
use crate::registers::Reg;

/// What one load or store instruction does.
pub(super) struct Access {
    pub operand: MemOperand,
    pub atomic: Atomic,
    pub ordering: Ordering,
    /// What is added to the base register afterwards (or before, with pre-index).
    pub writeback: Option<Writeback>,
    /// General or vector registers that receive what is loaded, lowest address first.
    pub loaded: Vec<Reg>,
    /// Registers read beside the address: what is stored or compared.
    pub stored: RegSet,
    /// Registers written with something other than loaded data: the status of a store-exclusive.
    pub status: Option<Reg>,
}

/// How the base register changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writeback {
    Constant(i64),
    Register(Reg),
}

/// Whether the word is in the encoding space of loads and stores.
pub(super) fn is_load_store(word: Word) -> bool {
    word.is(0x0A00_0000, 0x0800_0000)
}

/// `Some(None)` for a prefetch, which accesses nothing. `None` for what [`Access`] cannot state:
/// memory tagging, memory copy, pointer authentication and 64-byte accesses.
pub(super) fn access(word: Word) -> Option<Option<Access>> {
    match word.field(29, 28) {
        0 if word.bit(26) => structure(word).map(Some),
        0 => exclusive(word).map(Some),
        1 => match word.bit(24) {
            false => literal(word),
            true => release_consistent(word).map(Some),
        },
        2 => pair(word).map(Some),
        _ => single(word),
    }
}

fn operand(word: Word, width: u32, read: bool, write: bool) -> MemOperand {
    MemOperand {
        base: Some(word.x_or_sp(5)),
        read,
        write,
        ..MemOperand::new(width as u16)
    }
}

/// An ordinary access to the register in the lowest field.
fn plain(operand: MemOperand, registers: impl IntoIterator<Item = Reg>) -> Access {
    let (loaded, stored) = match operand.read {
        true => (registers.into_iter().collect(), RegSet::EMPTY),
        false => (Vec::new(), registers.into_iter().collect()),
    };
    Access {
        operand,
        atomic: Atomic::No,
        ordering: Ordering::default(),
        writeback: None,
        loaded,
        stored,
        status: None,
    }
}

/// The general or vector register in the field from bit `low`, by the V bit.
fn data(word: Word, low: u32) -> Option<Reg> {
    match word.bit(26) {
        true => Some(word.v(low)),
        false => word.x(low),
    }
}

/// Exclusive, ordered, and compare-and-swap accesses.
fn exclusive(word: Word) -> Option<Access> {
    let size = word.field(31, 30);
    let [ordered, load, paired, release] = [23, 22, 21, 15].map(|n| word.bit(n));
    if word.bit(24) {
        return None;
    }
    if paired && (ordered || size < 2) {
        return Some(compare_and_swap(word, ordered));
    }
    let width = match paired {
        true => 2 * (4 << (size & 1)),
        false => 1 << size,
    };
    let registers = [Some(0), paired.then_some(10)].into_iter().flatten();
    let registers = registers.filter_map(|low| word.x(low));
    let mut access = plain(operand(word, width, load, !load), registers);
    access.atomic = match (ordered, load) {
        (true, true) => Atomic::AcquireLoad,
        (true, false) => Atomic::ReleaseStore,
        (false, true) => Atomic::LoadExclusive,
        (false, false) => Atomic::StoreExclusive,
    };
    access.ordering = Ordering {
        acquire: load && (release || ordered),
        release: !load && (release || ordered),
    };
    if !ordered && !load {
        access.status = word.x(16);
    }
    Some(access)
}

/// `cas` and `casp`: reads always, and counts as writing though it may not.
fn compare_and_swap(word: Word, one: bool) -> Access {
    let registers = |low: u32| {
        let first = word.field(low + 4, low) as u8;
        let count = if one { 1 } else { 2 };
        (first..first + count).filter(|n| *n < 31).map(Reg)
    };
    let width = match one {
        true => 1 << word.field(31, 30),
        false => 2 * (4 << word.field(30, 30)),
    };
    Access {
        operand: operand(word, width, true, true),
        atomic: Atomic::Locked,
        ordering: Ordering {
            acquire: word.bit(22),
            release: word.bit(15),
        },
        writeback: None,
        loaded: registers(16).collect(),
        stored: registers(16).chain(registers(0)).collect(),
        status: None,
    }
}

/// `ld1` to `ld4`, `st1` to `st4`, of whole vectors or one lane of each.
fn structure(word: Word) -> Option<Access> {
    let vector = if word.bit(30) { 16 } else { 8 };
    let lane = word.bit(24);
    let (registers, each) = if lane {
        let count = (word.field(13, 13) << 1 | word.field(21, 21)) + 1;
        let each = match (word.field(15, 14), word.field(11, 10)) {
            (0, _) => 1,
            (1, _) => 2,
            (2, 0) => 4,
            (2, _) => 8,
            (_, size) => 1 << size, // one element into every lane
        };
        (count, each)
    } else {
        let count = match word.field(15, 12) {
            0b0000 | 0b0010 => 4,
            0b0100 | 0b0110 => 3,
            0b1000 | 0b1010 => 2,
            0b0111 => 1,
            _ => return None,
        };
        (count, vector)
    };
    let width = registers * each;
    let load = word.bit(22);
    let first = word.field(4, 0);
    let names = (0..registers).map(|n| Reg::vector(((first + n) % 32) as u8));
    let mut access = plain(operand(word, width, load, !load), names.clone());
    if lane && load && word.field(15, 14) != 3 {
        access.stored = names.collect(); // the other lanes are kept
    }
    if word.bit(23) {
        access.writeback = Some(match word.field(20, 16) {
            31 => Writeback::Constant(i64::from(width)),
            _ => Writeback::Register(word.x_or_sp(16)),
        });
    }
    Some(access)
}

/// `ldr` of a pc-relative literal.
fn literal(word: Word) -> Option<Option<Access>> {
    let width = match (word.bit(26), word.field(31, 30)) {
        (false, 3) => return Some(None), // prfm
        (false, 1) => 8,
        (false, _) => 4,
        (true, 3) => return None,
        (true, opc) => 4 << opc,
    };
    let operand = MemOperand {
        disp: word.relative(word.signed(23, 5)) as i64,
        read: true,
        ..MemOperand::new(width)
    };
    Some(Some(plain(operand, data(word, 0))))
}

/// `ldapur` and `stlur`.
fn release_consistent(word: Word) -> Option<Access> {
    if !word.is(0x3F20_0C00, 0x1900_0000) {
        return None;
    }
    let load = word.field(23, 22) != 0;
    let mut access = plain(
        operand(word, 1 << word.field(31, 30), load, !load),
        word.x(0),
    );
    access.operand.disp = word.signed(20, 12);
    access.atomic = match load {
        true => Atomic::AcquireLoad,
        false => Atomic::ReleaseStore,
    };
    access.ordering = Ordering {
        acquire: load,
        release: !load,
    };
    Some(access)
}

/// `ldp`, `stp` and their like.
fn pair(word: Word) -> Option<Access> {
    let opc = word.field(31, 30);
    let load = word.bit(22);
    let each = match (word.bit(26), opc) {
        (_, 3) => return None,
        (true, opc) => 4 << opc,
        (false, 1) if !load => return None, // stgp
        (false, 2) => 8,
        (false, _) => 4,
    };
    let registers = [data(word, 0), data(word, 10)].into_iter().flatten();
    let mut access = plain(operand(word, 2 * each, load, !load), registers);
    let offset = word.signed(21, 15) * i64::from(each);
    index(&mut access, word.field(24, 23), offset);
    Some(access)
}

/// Applies an offset by the index mode: 1 is post-index, 3 pre-index, others plain offset.
fn index(access: &mut Access, mode: u32, offset: i64) {
    if mode != 1 {
        access.operand.disp = offset;
    }
    if mode == 1 || mode == 3 {
        access.writeback = Some(Writeback::Constant(offset));
    }
}

/// `ldr`, `str` and their like of one register, and the atomics that share their space.
fn single(word: Word) -> Option<Option<Access>> {
    let (size, opc, vector) = (word.field(31, 30), word.field(23, 22), word.bit(26));
    let scaled = word.bit(24);
    let mode = word.field(11, 10);
    if !scaled && word.bit(21) && mode != 2 {
        return match mode {
            0 if !vector => atomic(word).map(Some),
            _ => None, // ldraa, ldrab
        };
    }
    let (width, load) = match (vector, opc) {
        (true, 2 | 3) if size != 0 => return None,
        (true, 2 | 3) => (16, opc == 3),
        (true, _) => (1 << size, opc == 1),
        // prfm, prfum: the place of a load into the sign-extended doubleword.
        (false, 2) if size == 3 => return Some(None),
        (false, _) => (1 << size, opc != 0),
    };
    let mut access = plain(operand(word, width, load, !load), data(word, 0));
    if scaled {
        access.operand.disp = i64::from(word.field(21, 10) * width);
    } else if mode == 2 && word.bit(21) {
        access.operand.index = word.x(16);
        access.operand.scale = if word.bit(12) { width as u8 } else { 1 };
        access.operand.extend = match word.field(15, 13) {
            2 => Extend::Uxtw,
            6 => Extend::Sxtw,
            _ => Extend::None,
        };
    } else {
        index(&mut access, mode, word.signed(20, 12));
    }
    Some(Some(access))
}

/// `ldadd` and its like, `swp`, and `ldapr`, which shares their space.
fn atomic(word: Word) -> Option<Access> {
    let [acquire, release, other] = [23, 22, 15].map(|n| word.bit(n));
    let width = 1 << word.field(31, 30);
    match (other, word.field(14, 12)) {
        (true, 4) => {
            let mut access = plain(operand(word, width, true, false), word.x(0));
            access.atomic = Atomic::AcquireLoad;
            access.ordering.acquire = true;
            Some(access)
        }
        (true, 1..) => None, // ld64b, st64b
        (_, _) => Some(Access {
            operand: operand(word, width, true, true),
            atomic: Atomic::Locked,
            // With the zero register as destination (stadd and its like) there is no acquire
            // (Arm ARM B2.3.11); swp and the loads keep it in their A bit otherwise.
            ordering: Ordering {
                acquire: acquire && word.x(0).is_some(),
                release,
            },
            writeback: None,
            loaded: word.x(0).into_iter().collect(),
            stored: word.x(16).into_iter().collect(),
            status: None,
        }),
    }
}
