//! How a modelled kernel function is described: one row of a table.

use isa::{Arch, Convention, IrqlTable};

use super::call::{Call, Done};

/// The module that exports a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    /// `ntoskrnl.exe`.
    Ntoskrnl,
    /// `hal.dll`.
    Hal,
    /// `ndis.sys`.
    Ndis,
    /// `tdi.sys`.
    Tdi,
}

impl Module {
    /// All of them, in load order.
    pub const ALL: [Module; 4] = [Self::Ntoskrnl, Self::Hal, Self::Ndis, Self::Tdi];

    /// File name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ntoskrnl => "ntoskrnl.exe",
            Self::Hal => "hal.dll",
            Self::Ndis => "ndis.sys",
            Self::Tdi => "tdi.sys",
        }
    }
}

/// The calling convention of a function where it depends on the function: on x86. The other
/// architectures have one convention for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// `NTAPI`, stdcall: nearly all of the kernel.
    Std,
    /// `FASTCALL`: Kf*, Kef*, Iof*, Obf*, ExInterlocked*, Interlocked*.
    Fast,
    /// cdecl: variadic functions and the C library.
    C,
}

impl Style {
    /// The convention on an architecture.
    pub fn convention(self, arch: Arch) -> Convention {
        match (arch, self) {
            (Arch::X86, Style::Std) => Convention::Stdcall,
            (Arch::X86, Style::Fast) => Convention::Fastcall,
            (Arch::X86, Style::C) => Convention::Cdecl,
            (Arch::X64, _) => Convention::X64,
            (Arch::Arm64, _) => Convention::Aapcs64,
        }
    }
}

/// An argument: its width decides how many slots it takes on x86 and which bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arg {
    /// The parameter's documented name.
    pub name: &'static str,
    /// Bytes: 1, 2, 4, 8; 0 for a pointer or anything of its size.
    pub width: u8,
}

/// A pointer, handle or `ULONG_PTR`.
pub const fn ptr(name: &'static str) -> Arg {
    Arg { name, width: 0 }
}
/// A `BOOLEAN`, `KIRQL` or `UCHAR`.
pub const fn byte(name: &'static str) -> Arg {
    Arg { name, width: 1 }
}
/// A `USHORT`.
pub const fn word(name: &'static str) -> Arg {
    Arg { name, width: 2 }
}
/// A `ULONG`, `LONG`, `NTSTATUS` or enumeration.
pub const fn long(name: &'static str) -> Arg {
    Arg { name, width: 4 }
}
/// A `LARGE_INTEGER` or `ULONGLONG` passed by value.
pub const fn quad(name: &'static str) -> Arg {
    Arg { name, width: 8 }
}

/// At which IRQL a function may be called, from its documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contract {
    /// At any level.
    Any,
    /// Only at PASSIVE_LEVEL.
    Passive,
    /// At or below APC_LEVEL.
    Apc,
    /// At or below DISPATCH_LEVEL.
    Dispatch,
    /// Only at DISPATCH_LEVEL.
    ExactlyDispatch,
    /// At or above DISPATCH_LEVEL.
    AtLeastDispatch,
}

impl Contract {
    /// Whether a call at `irql` keeps the contract.
    pub fn allows(self, irql: u8, table: &IrqlTable) -> bool {
        match self {
            Contract::Any => true,
            Contract::Passive => irql == table.passive,
            Contract::Apc => irql <= table.apc,
            Contract::Dispatch => irql <= table.dispatch,
            Contract::ExactlyDispatch => irql == table.dispatch,
            Contract::AtLeastDispatch => irql >= table.dispatch,
        }
    }

    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Contract::Any => "any level",
            Contract::Passive => "PASSIVE_LEVEL",
            Contract::Apc => "<= APC_LEVEL",
            Contract::Dispatch => "<= DISPATCH_LEVEL",
            Contract::ExactlyDispatch => "DISPATCH_LEVEL",
            Contract::AtLeastDispatch => ">= DISPATCH_LEVEL",
        }
    }
}

/// A modelled kernel function.
pub struct Api {
    /// Exported name.
    pub name: &'static str,
    /// Exporting module.
    pub module: Module,
    /// Calling convention on x86.
    pub style: Style,
    /// Parameters; a variadic function lists the fixed ones.
    pub args: &'static [Arg],
    /// IRQL contract.
    pub irql: Contract,
    /// Public source of name, signature and contract.
    pub source: &'static str,
    /// What it does.
    pub handler: fn(&mut Call<'_>) -> Done,
}

impl Api {
    /// Number of pointer-sized slots its arguments take.
    pub fn slots(&self, arch: Arch) -> usize {
        self.args.iter().map(|a| a.slots(arch)).sum()
    }
}

impl Arg {
    /// Number of pointer-sized slots it takes.
    pub fn slots(self, arch: Arch) -> usize {
        if self.width == 8 && arch.pointer_size() == 4 {
            2
        } else {
            1
        }
    }
}
