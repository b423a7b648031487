//! 64-bit x86 (x64).

pub(crate) mod convention;
mod decode;
mod epilogue;
mod registers;
mod unwind;

pub(crate) static ISA: crate::Isa = crate::Isa {
    name: "x64",
    machine: 0x8664,
    pointer_size: 8,
    registers: &registers::FILE,
    engine: decode::engine,
    decode: decode::decode,
    caller: unwind::caller,
};
