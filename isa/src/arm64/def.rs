//! How an A64 instruction computes its destination register.

use super::bits::Word;
use super::memory::{Access, Writeback};
use crate::decode::{Def, Flow, RegSet};
use crate::registers::Reg;

const LINK: Reg = Reg(30);

pub(super) fn def(word: Word, flow: Flow, access: Option<&Access>, writes: RegSet) -> Def {
    let known = match access {
        Some(access) => load_store(word, access),
        None if matches!(flow, Flow::Call { .. }) => Some(Def::Const {
            dst: LINK,
            value: word.relative(1),
        }),
        None => data_processing(word),
    };
    known.unwrap_or(if writes.iter().any(Reg::is_general) {
        Def::Other
    } else {
        Def::None
    })
}

fn load_store(word: Word, access: &Access) -> Option<Def> {
    // An atomic's result is loaded, too.
    match access.loaded[..] {
        [dst] if dst.is_general() && access.operand.width <= 8 => Some(Def::Load { dst, mem: 0 }),
        [first, second] if first.is_general() && !access.operand.write => Some(Def::LoadPair {
            first,
            second,
            mem: 0,
        }),
        _ => match access.writeback {
            Some(Writeback::Constant(value)) if access.loaded.iter().all(|r| !r.is_general()) => {
                let base = word.x_or_sp(5);
                Some(Def::AddConst {
                    dst: base,
                    src: base,
                    value,
                })
            }
            _ => None,
        },
    }
}

/// Immediate and register arithmetic (Arm ARM C4.1.64, C4.1.67) of one constant or none.
fn data_processing(word: Word) -> Option<Def> {
    let wide = word.bit(31);
    let cut = |value: u64| if wide { value } else { value & 0xFFFF_FFFF };
    let constant = |dst: Reg, value: u64| Def::Const {
        dst,
        value: cut(value),
    };
    if word.is(0x1F00_0000, 0x1000_0000) {
        let dst = word.x(0)?;
        return Some(Def::Const {
            dst,
            value: page_or_address(word),
        });
    }
    if word.is(0x1F80_0000, 0x1100_0000) {
        return add_immediate(word);
    }
    if word.is(0x1F80_0000, 0x1280_0000) {
        let value = u64::from(word.field(20, 5)) << (16 * word.field(22, 21));
        return match word.field(30, 29) {
            0 => Some(constant(word.x(0)?, !value)), // movn
            2 => Some(constant(word.x(0)?, value)),  // movz
            _ => None,
        };
    }
    // orr of an immediate or of an unshifted register with the zero register: mov.
    if word.is(0x7F80_03E0, 0x3200_03E0) {
        return Some(constant(word.x_or_sp(0), bitmask(word)?));
    }
    if word.is(0x7FE0_FFE0, 0x2A00_03E0) {
        let dst = word.x(0)?;
        return Some(match word.x(16) {
            Some(src) => Def::Copy { dst, src },
            None => Def::Const { dst, value: 0 },
        });
    }
    None
}

/// `adr`, `adrp`.
fn page_or_address(word: Word) -> u64 {
    let offset = word.signed(23, 5) << 2 | i64::from(word.field(30, 29));
    match word.bit(31) {
        true => (word.addr & !0xFFF).wrapping_add((offset << 12) as u64),
        false => word.addr.wrapping_add(offset as u64),
    }
}

/// `add` and `sub` of an immediate, the flag-setting ones too.
fn add_immediate(word: Word) -> Option<Def> {
    let sets_flags = word.bit(29);
    let dst = match sets_flags {
        true => word.x(0)?,
        false => word.x_or_sp(0),
    };
    let src = word.x_or_sp(5);
    let value = i64::from(word.field(21, 10)) << (12 * word.field(22, 22));
    Some(match value {
        0 => Def::Copy { dst, src },
        _ if word.bit(30) => Def::AddConst {
            dst,
            src,
            value: -value,
        },
        _ => Def::AddConst { dst, src, value },
    })
}

/// A logical immediate: a rotated run of ones, replicated (Arm ARM, `DecodeBitMasks`).
fn bitmask(word: Word) -> Option<u64> {
    let (n, rotate, ones) = (word.field(22, 22), word.field(21, 16), word.field(15, 10));
    let log = 31 - (n << 6 | !ones & 0x3F).leading_zeros().min(31);
    let size = 1 << log;
    let levels = size - 1;
    let ones = ones & levels;
    if log == 0 || ones == levels {
        return None;
    }
    let run = u64::MAX >> (63 - ones);
    let rotate = rotate & levels;
    let element = match rotate {
        0 => run,
        _ => (run >> rotate | run << (size - rotate)) & (u64::MAX >> (64 - size)),
    };
    Some((0..64 / size).fold(0, |value, n| value | element << (n * size)))
}
