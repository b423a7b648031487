//! What can be wrong with a driver file, with its symbols, or with where it is to be loaded.

use std::fmt;

use isa::Arch;

use super::PdbId;

/// Why a driver file was refused.
///
/// The message ([`Display`](fmt::Display)) names what is wrong and what mends it, but not the
/// file: the caller knows the path it read the bytes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The bytes are not a PE image at all.
    NotPe {
        /// What was missing or different.
        what: &'static str,
    },
    /// The file ends inside something that its headers say is there.
    Truncated {
        /// What is cut off.
        what: String,
        /// Where it should end, in bytes from the start of the file.
        end: u64,
        /// How long the file is, in bytes.
        len: u64,
    },
    /// The driver is built for a processor that is not the machine's, or that nothing emulates.
    WrongMachine {
        /// The `Machine` field of the file.
        found: u16,
        /// What was asked for; `None` when no machine of irqlab runs such a driver.
        wanted: Option<Arch>,
    },
    /// A header field has a value that no loader can work with.
    BadHeader {
        /// The field, by its name in the PE format.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// The image is not for the native subsystem, so it is a program and not a driver.
    NotNative {
        /// The `Subsystem` field; a driver has 1.
        subsystem: u16,
    },
    /// The header's checksum is not the file's.
    Checksum {
        /// What the header says.
        stored: u32,
        /// What the bytes add up to.
        computed: u32,
    },
    /// A section cannot be mapped.
    BadSection {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A table of the image points outside it, or contradicts itself.
    BadTable {
        /// Which table: "import", "export", "relocation", ...
        table: &'static str,
        /// Where it goes wrong, relative to the image base.
        rva: u32,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A function is imported by number. Ordinals differ between builds of a module, so that
    /// nothing can say which function is meant.
    OrdinalImport {
        /// The module it is imported from, in lower case.
        module: String,
        /// The number.
        ordinal: u16,
    },
    /// The image uses delay-load imports, which the NT kernel does not resolve.
    DelayImports {
        /// The first module it wants to load late, in lower case.
        module: String,
    },
    /// A relocation of a kind that the architecture does not use.
    BadRelocation {
        /// Where it applies, relative to the image base.
        rva: u32,
        /// The type field, `IMAGE_REL_BASED_*`.
        kind: u16,
    },
    /// The image has no relocations and cannot run anywhere but at its preferred base.
    NoRelocations {
        /// The only base it can have.
        preferred: u64,
        /// The base that was wanted.
        wanted: u64,
    },
    /// An image cannot be placed at this address.
    BadBase {
        /// The address.
        base: u64,
        /// The size of the image in bytes.
        size: u64,
    },
    /// The image names no PDB, so that no PDB can be known to be its own.
    NoPdbReference,
    /// The PDB belongs to another build of the image.
    PdbMismatch {
        /// The PDB that the image was linked with.
        image: PdbId,
        /// The PDB that was given.
        pdb: PdbId,
    },
    /// The PDB cannot be read.
    BadPdb {
        /// What the reader says.
        problem: String,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::NotPe { what } => {
                write!(f, "not a PE image: {what}; give the .sys file of a driver")
            }
            LoadError::Truncated { what, end, len } => write!(
                f,
                "the file is cut off: {what} should end at byte {end}, but the file has {len} \
                 bytes; copy or build it again"
            ),
            LoadError::WrongMachine {
                found,
                wanted: Some(wanted),
            } => write!(
                f,
                "built for {}, but this machine runs {} (0x{:04x}); use the {} build of the \
                 driver, or another profile",
                machine_name(*found),
                wanted.name(),
                wanted.machine(),
                wanted.name(),
            ),
            LoadError::WrongMachine {
                found,
                wanted: None,
            } => write!(
                f,
                "built for {}, which is not emulated; build the driver for x86 (0x014c), x64 \
                 (0x8664) or arm64 (0xaa64)",
                machine_name(*found)
            ),
            LoadError::BadHeader { field, value } => write!(
                f,
                "the PE header field {field} cannot be 0x{value:x}; link the driver again"
            ),
            LoadError::NotNative { subsystem } => write!(
                f,
                "its subsystem is {subsystem}, and a driver has 1 (native); link it with \
                 /SUBSYSTEM:NATIVE"
            ),
            LoadError::Checksum { stored, computed } => write!(
                f,
                "the header's checksum is 0x{stored:08x}, but the file adds up to \
                 0x{computed:08x}: it was changed or damaged after it was linked; copy or build \
                 it again"
            ),
            LoadError::BadSection { name, problem } => {
                write!(f, "section '{name}' {problem}; link the driver again")
            }
            LoadError::BadTable {
                table,
                rva,
                problem,
            } => write!(
                f,
                "the {table} table is damaged at RVA 0x{rva:x}: {problem}; link the driver again"
            ),
            LoadError::OrdinalImport { module, ordinal } => write!(
                f,
                "it imports ordinal {ordinal} of {module}; only imports by name can be resolved: \
                 link it with an import library that has names"
            ),
            LoadError::DelayImports { module } => write!(
                f,
                "it imports {module} by delay-loading, which the kernel does not do; link it \
                 without /DELAYLOAD"
            ),
            LoadError::BadRelocation { rva, kind } => write!(
                f,
                "the relocation at RVA 0x{rva:x} is of type {kind}, which this architecture does \
                 not use; link the driver again"
            ),
            LoadError::NoRelocations { preferred, wanted } => write!(
                f,
                "it has no relocations and can only be loaded at 0x{preferred:x}, not at \
                 0x{wanted:x}; link it with /DYNAMICBASE and without /FIXED"
            ),
            LoadError::BadBase { base, size } => write!(
                f,
                "an image of 0x{size:x} bytes cannot be loaded at 0x{base:x}: the base must be a \
                 multiple of 0x1000 and the end must be addressable"
            ),
            LoadError::NoPdbReference => write!(
                f,
                "the driver names no PDB, so that none can be checked against it; link it with \
                 /DEBUG"
            ),
            LoadError::PdbMismatch { image, pdb } => write!(
                f,
                "the PDB is of another build: the driver wants {image}, this is {pdb}; use the \
                 PDB written when the driver was linked"
            ),
            LoadError::BadPdb { problem } => {
                write!(f, "the PDB cannot be read: {problem}; build it again")
            }
        }
    }
}

impl std::error::Error for LoadError {}

/// A `Machine` field for a reader: the name, where it is a machine that NT ran on, and the number
/// (Microsoft, "PE Format", Machine Types).
fn machine_name(machine: u16) -> String {
    let name = match machine {
        0x014c => "x86",
        0x0162 | 0x0166 => "MIPS",
        0x0184 => "Alpha",
        0x01c4 => "32-bit ARM",
        0x01f0 => "PowerPC",
        0x0200 => "IA-64",
        0x0284 => "64-bit Alpha",
        0x8664 => "x64",
        0xaa64 => "arm64",
        _ => "an unknown machine",
    };
    format!("{name} (0x{machine:04x})")
}
