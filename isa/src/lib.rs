//! What differs between processors: registers, calling conventions, instruction facts, stack
//! unwinding, and the interrupt request levels of the machines that irqlab emulates.
//!
//! Nothing here knows an NT object, runs an instruction or keeps state. Every architecture is a
//! folder with the same files, gathered into one value; the modules beside the folders
//! hold the shared types and the code that works from that value alone.
//!
//! ```
//! use isa::{Arch, Decoder, Flow};
//! let decoder = Decoder::new(Arch::X64);
//! let insn = decoder.decode(&[0xFF, 0x43, 0x10], 0x1000).unwrap(); // inc dword ptr [rbx+10h]
//! assert_eq!(insn.flow, Flow::Next);
//! assert!(insn.is_split_update(), "not atomic without LOCK");
//! ```
#![warn(missing_docs)]

mod arm64;
mod convention;
mod decode;
mod intel;
mod irql;
mod memory;
mod profile;
mod registers;
mod unwind;
mod x64;
mod x86;

pub use convention::{Convention, return_address, return_address_at};
pub use decode::{
    Atomic, Decoder, Def, Extend, FenceKind, Flow, Insn, MemOperand, Ordering, RegSet, Special,
};
pub use irql::IrqlTable;
pub use memory::{Mem, MemMut};
pub use profile::{Arch, Profile};
pub use registers::{
    Reg, RegisterAccess, Registers, by_name, frame_pointer, link_register, name, return_register,
    stack_pointer,
};
pub use unwind::{Frame, ImageUnwind, Images, caller, unwind};

/// Everything that an architecture's folder supplies.
struct Isa {
    name: &'static str,
    /// COFF machine number.
    machine: u16,
    /// Bytes.
    pointer_size: u64,
    registers: &'static registers::RegisterFile,
    /// Makes the disassembly engine.
    engine: fn() -> capstone::CsResult<capstone::Capstone>,
    /// States the facts about an instruction that the engine has disassembled.
    decode: fn(&capstone::Capstone, &capstone::Insn) -> Option<Insn>,
    /// The registers of the caller of a function that is inside an image.
    caller: fn(&unwind::Step, &Registers) -> Option<Registers>,
}

/// The one place where architectures are listed.
#[inline]
fn isa(arch: Arch) -> &'static Isa {
    match arch {
        Arch::X86 => &x86::ISA,
        Arch::X64 => &x64::ISA,
        Arch::Arm64 => &arm64::ISA,
    }
}
