//! 64-bit Arm.

mod bits;
pub(crate) mod convention;
mod decode;
mod def;
mod effects;
mod flow;
mod memory;
mod names;
mod packed;
mod registers;
mod special;
mod unwind;
mod unwind_codes;

pub(crate) static ISA: crate::Isa = crate::Isa {
    name: "arm64",
    machine: 0xAA64,
    pointer_size: 8,
    registers: &registers::FILE,
    engine: decode::engine,
    decode: decode::decode,
    caller: unwind::caller,
};
