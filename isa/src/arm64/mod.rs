//! 64-bit Arm.

pub(crate) mod convention;
mod decode;
mod registers;
mod unwind;

pub(crate) static ISA: crate::Isa = crate::Isa {
    name: "arm64",
    machine: 0xAA64,
    pointer_size: 8,
    registers: &registers::FILE,
    engine: decode::engine,
    decode: decode::decode,
    caller: unwind::caller,
};
