//! 32-bit x86.

pub(crate) mod convention;
mod decode;
mod frameless;
mod registers;
mod unwind;

pub(crate) static ISA: crate::Isa = crate::Isa {
    name: "x86",
    machine: 0x14C,
    pointer_size: 4,
    registers: &registers::FILE,
    engine: decode::engine,
    decode: decode::decode,
    caller: unwind::caller,
};
