//! Architectures (what code runs) and profiles (under which machine's rules it runs).

use crate::irql::{self, IrqlTable};
use crate::isa;

/// An instruction set that driver code can be compiled for.
///
/// ```
/// use isa::Arch;
/// assert_eq!(Arch::from_machine(0x8664), Some(Arch::X64));
/// assert_eq!(Arch::X86.pointer_size(), 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arch {
    /// 32-bit x86 (IA-32).
    X86,
    /// 64-bit x86 (AMD64, Intel 64).
    X64,
    /// 64-bit Arm (AArch64, the A64 instruction set).
    Arm64,
}

impl Arch {
    /// Every architecture, in a fixed order.
    pub const ALL: [Arch; 3] = [Arch::X86, Arch::X64, Arch::Arm64];

    /// Bytes in a pointer and in a general register: 4 or 8.
    #[inline]
    pub fn pointer_size(self) -> u64 {
        isa(self).pointer_size
    }

    /// The short lower-case name: `x86`, `x64` or `arm64`.
    pub fn name(self) -> &'static str {
        isa(self).name
    }

    /// The `Machine` field of a PE file header (Microsoft, "PE Format", Machine Types).
    pub fn machine(self) -> u16 {
        isa(self).machine
    }

    /// The architecture of a PE `Machine` field, or `None` for one that is not emulated.
    pub fn from_machine(machine: u16) -> Option<Arch> {
        Arch::ALL.into_iter().find(|arch| arch.machine() == machine)
    }

    /// `value` cut to the width of a register of this architecture.
    pub fn truncate(self, value: u64) -> u64 {
        match self.pointer_size() {
            4 => value & 0xFFFF_FFFF,
            _ => value,
        }
    }
}

/// What machine is emulated.
///
/// `Alpha` and `Ia64` run the AArch64 build of a driver under that machine's rules: its IRQL
/// table and its page size. Their own instruction sets are not emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// A 32-bit PC.
    I386,
    /// A 64-bit PC.
    Amd64,
    /// A 64-bit Arm machine.
    Arm64,
    /// A DEC Alpha under Windows NT.
    Alpha,
    /// An Intel Itanium.
    Ia64,
}

impl Profile {
    /// Every profile, in the order in which they are listed to a user.
    pub const ALL: [Profile; 5] = [
        Profile::I386,
        Profile::Amd64,
        Profile::Arm64,
        Profile::Alpha,
        Profile::Ia64,
    ];

    /// The name used on the command line and in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Profile::I386 => "i386",
            Profile::Amd64 => "amd64",
            Profile::Arm64 => "arm64",
            Profile::Alpha => "alpha",
            Profile::Ia64 => "ia64",
        }
    }

    /// The profile of that name; names are lower case and exact.
    pub fn from_name(name: &str) -> Option<Profile> {
        Profile::ALL
            .into_iter()
            .find(|profile| profile.name() == name)
    }

    /// The instruction set whose driver build this profile runs.
    #[inline]
    pub fn arch(self) -> Arch {
        match self {
            Profile::I386 => Arch::X86,
            Profile::Amd64 => Arch::X64,
            Profile::Arm64 | Profile::Alpha | Profile::Ia64 => Arch::Arm64,
        }
    }

    /// Bytes in a page: 4096, or 8192 on Alpha and Itanium (Microsoft, WDK `wdm.h`, `PAGE_SIZE`).
    pub fn page_size(self) -> u64 {
        match self {
            Profile::I386 | Profile::Amd64 | Profile::Arm64 => 4096,
            Profile::Alpha | Profile::Ia64 => 8192,
        }
    }

    /// The interrupt request levels of this machine.
    #[inline]
    pub fn irql(self) -> &'static IrqlTable {
        match self {
            Profile::I386 => &irql::I386,
            Profile::Amd64 => &irql::AMD64,
            Profile::Arm64 => &irql::ARM64,
            Profile::Alpha => &irql::ALPHA,
            Profile::Ia64 => &irql::IA64,
        }
    }

    /// Bytes in a pointer of the driver build that runs: 4 or 8.
    #[inline]
    pub fn pointer_size(self) -> u64 {
        self.arch().pointer_size()
    }

    /// One line for a list of profiles.
    pub fn describe(self) -> &'static str {
        match self {
            Profile::I386 => "32-bit PC: x86 code, 4 KiB pages, IRQL 0 to 31",
            Profile::Amd64 => "64-bit PC: x64 code, 4 KiB pages, IRQL 0 to 15",
            Profile::Arm64 => "64-bit Arm: AArch64 code, 4 KiB pages, IRQL 0 to 15",
            Profile::Alpha => "DEC Alpha rules over AArch64 code: 8 KiB pages, IRQL 0 to 7",
            Profile::Ia64 => "Intel Itanium rules over AArch64 code: 8 KiB pages, IRQL 0 to 15",
        }
    }
}
