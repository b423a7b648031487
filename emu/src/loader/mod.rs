//! Driver files: from the bytes of a `.sys` and a `.pdb` to an image that can be given to a
//! machine, with everything about it checked once, here.
//!
//! [`parse`] reads a file and lays it out as it will be in memory. [`Image::relocate`] moves it to
//! its base, [`Image::bind`] fills its import slots, and `Image::data` is then what the machine
//! maps. All of it is plain data computed from bytes: nothing here opens a file, and no input
//! makes it panic.
//!
//! Format: Microsoft, "PE Format" (learn.microsoft.com, windows/win32/debug/pe-format).

mod error;
mod exports;
mod imports;
mod pdb;
mod pe;
mod relocations;
mod resources;
mod symbols;

use std::fmt;
use std::sync::Arc;

use isa::Arch;

pub use error::LoadError;
pub use pe::parse;
pub use relocations::{Relocation, RelocationKind};
pub use resources::Version;
pub use symbols::{SourceFrame, Symbols};

/// Bytes in the unit in which images are mapped and based. Machines with larger pages round up
/// further.
const PAGE: u64 = 0x1000;

/// A driver file, parsed and checked.
#[derive(Clone)]
pub struct Image {
    /// The lower-case file name, for example `sample.sys`.
    pub name: String,
    /// The processor it is built for.
    pub arch: Arch,
    /// The base address that the linker assumed.
    pub preferred_base: u64,
    /// The base address that `data` is relocated for; starts as `preferred_base`.
    pub base: u64,
    /// `SizeOfImage`: bytes from the base to the end of the last section.
    pub size: u64,
    /// The entry point (`DriverEntry`), relative to the base.
    pub entry_rva: u32,
    /// `TimeDateStamp`: seconds since 1970 at link time, or a hash in a reproducible build.
    pub timestamp: u32,
    /// The header's checksum, 0 if the linker wrote none.
    pub checksum: u32,
    /// The sections, in ascending order of address.
    pub sections: Vec<Section>,
    /// The imported functions, in the order of the file.
    pub imports: Vec<Import>,
    /// The named exports with their addresses relative to the base, sorted by name. Exports that
    /// are forwarded to another module, and exports without a name, are not among them.
    pub exports: Vec<(String, u32)>,
    /// The version resource, if there is one.
    pub version: Option<Version>,
    /// The image as mapped: headers and sections at their RVAs, the rest zero; as long as `size`
    /// rounded up to 4096.
    pub data: Vec<u8>,
    /// The table of unwind entries (`.pdata`): RVA and length in bytes. `None` on x86, and in an
    /// image without one.
    pub pdata: Option<(u32, u32)>,
    /// xxh3-64 of the file's bytes.
    pub hash: u64,
    /// The PDB's file name without its folder, as the linker recorded it.
    pub pdb_name: Option<String>,
    /// Which PDB belongs to the image; absent when it was linked without one.
    pub pdb_id: Option<PdbId>,
    /// Where absolute addresses stand in the image, in ascending order.
    pub relocations: Vec<Relocation>,
    /// The linker left the relocations out (`IMAGE_FILE_RELOCS_STRIPPED`): the image cannot move.
    pub fixed: bool,
    /// The symbols, once [`Image::attach_symbols`] was given the right PDB.
    pub symbols: Option<Arc<Symbols>>,
}

/// One section of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, for example `.text`, at most 8 bytes in the file.
    pub name: String,
    /// Where it begins, relative to the base.
    pub rva: u32,
    /// Its size in memory, in bytes.
    pub size: u32,
    /// It can be read.
    pub read: bool,
    /// It can be written.
    pub write: bool,
    /// It can be executed.
    pub execute: bool,
    /// It may leave memory: its name begins with `PAGE` and the linker did not set
    /// `IMAGE_SCN_MEM_NOT_PAGED`. (Microsoft, "Making Drivers Pageable": the loader goes by the
    /// name; `MmLockPagableCodeSection` is what keeps such a section in memory, not a longer
    /// name such as PAGELK.)
    pub pageable: bool,
    /// It is thrown away when `DriverEntry` has returned: its name begins with `INIT` or the
    /// linker set `IMAGE_SCN_MEM_DISCARDABLE`.
    pub discardable: bool,
}

/// One imported function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The module it comes from, in lower case, for example `ntoskrnl.exe`.
    pub module: String,
    /// Its name as the file has it; on x86 without decoration, except where the module exports
    /// it decorated.
    pub name: String,
    /// The slot of the import address table that the kernel fills with the function's address,
    /// relative to the base. It is as wide as a pointer.
    pub slot_rva: u32,
}

/// Which PDB belongs to an image: the `RSDS` record of its debug directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PdbId {
    /// The GUID, in the byte order of the file (the first three fields little-endian).
    pub guid: [u8; 16],
    /// How often the PDB was rewritten since it was created, from 1.
    pub age: u32,
}

impl fmt::Display for PdbId {
    /// The GUID in its usual form and the age: `{028EAC10-FD3C-93B1-4C4C-44205044422E} age 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        // A GUID's text shows its first three fields as numbers and the rest as bytes.
        for (position, byte) in [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
            .into_iter()
            .enumerate()
        {
            if matches!(position, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02X}", self.guid[byte])?;
        }
        write!(f, "}} age {}", self.age)
    }
}

impl Image {
    /// Moves the image to `base`: adds the distance to every absolute address in `data`. May be
    /// called again with another base.
    ///
    /// # Errors
    /// [`LoadError::BadBase`] if `base` is not a multiple of 4096 or the end of the image is not
    /// addressable, [`LoadError::NoRelocations`] if the image was linked to stay where it is. The
    /// image is unchanged then.
    pub fn relocate(&mut self, base: u64) -> Result<(), LoadError> {
        if !pe::fits(self.arch, base, self.data.len() as u64) {
            return Err(LoadError::BadBase {
                base,
                size: self.size,
            });
        }
        if base == self.base {
            return Ok(());
        }
        if self.fixed {
            return Err(LoadError::NoRelocations {
                preferred: self.preferred_base,
                wanted: base,
            });
        }
        relocations::apply(
            &mut self.data,
            &self.relocations,
            base.wrapping_sub(self.base),
        );
        self.base = base;
        Ok(())
    }

    /// Writes the address of an imported function into its slot, which is one of
    /// `imports[..].slot_rva`. A slot outside the image is ignored.
    pub fn bind(&mut self, slot_rva: u32, address: u64) {
        let width = self.arch.pointer_size() as usize;
        let start = slot_rva as usize;
        if let Some(slot) = self.data.get_mut(start..start + width) {
            slot.copy_from_slice(&address.to_le_bytes()[..width]);
        }
    }

    /// Is `va` inside the image at its current base?
    pub fn contains(&self, va: u64) -> bool {
        self.rva(va).is_some()
    }

    /// The offset of `va` from the current base, if it is inside the image.
    pub fn rva(&self, va: u64) -> Option<u32> {
        let offset = va.checked_sub(self.base)?;
        (offset < self.size).then_some(offset as u32)
    }

    /// The section that contains `va`.
    pub fn section(&self, va: u64) -> Option<&Section> {
        let rva = self.rva(va)?;
        self.sections
            .iter()
            .find(|section| rva.wrapping_sub(section.rva) < section.size)
    }

    /// Checks that the image is built for `arch`.
    ///
    /// # Errors
    /// [`LoadError::WrongMachine`] if it is not.
    pub fn require(&self, arch: Arch) -> Result<(), LoadError> {
        if self.arch == arch {
            return Ok(());
        }
        Err(LoadError::WrongMachine {
            found: self.arch.machine(),
            wanted: Some(arch),
        })
    }

    /// Reads the symbols of the image from the bytes of its PDB.
    ///
    /// # Errors
    /// [`LoadError::NoPdbReference`] and [`LoadError::PdbMismatch`] unless the PDB is the one that
    /// the image was linked with, [`LoadError::BadPdb`] if it cannot be read.
    pub fn attach_symbols(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        self.symbols = Some(Arc::new(pdb::read(bytes, self)?));
        Ok(())
    }

    /// The name of the function that the code at `va` belongs to, not counting functions inlined
    /// there: what a debugger shows for a return address. `None` without symbols.
    pub fn function(&self, va: u64) -> Option<String> {
        let function = self.symbols.as_ref()?.function(self.rva(va)?)?;
        Some(function.to_string())
    }

    /// Addresses of the functions whose name is `name`, or ends with it at the boundary of a path
    /// component.
    pub fn functions_named(&self, name: &str) -> Vec<u64> {
        let Some(symbols) = &self.symbols else {
            return Vec::new();
        };
        let found = symbols.functions.iter().filter(|f| {
            let full = symbols.texts[f.name].as_str();
            full.strip_suffix(name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
        });
        found.map(|f| self.base + u64::from(f.rva)).collect()
    }

    /// Where the code at `va` comes from: the innermost inlined function first, the function that
    /// it was all inlined into last. Empty without symbols, and for code without lines.
    ///
    /// For a return address ask for the byte before it, which belongs to the call.
    pub fn source(&self, va: u64) -> Vec<SourceFrame> {
        match (&self.symbols, self.rva(va)) {
            (Some(symbols), Some(rva)) => symbols.source(rva),
            _ => Vec::new(),
        }
    }

    /// The address of a function or variable: an export, or any symbol of the PDB. A function is
    /// found by its full name (`sample::table::insert`) or by its linker name.
    pub fn symbol_address(&self, name: &str) -> Option<u64> {
        let exported = self
            .exports
            .binary_search_by(|(export, _)| export.as_str().cmp(name))
            .ok()
            .map(|found| self.exports[found].1);
        let rva = exported.or_else(|| self.symbols.as_ref()?.address(name))?;
        Some(self.base + u64::from(rva))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("name", &self.name)
            .field("arch", &self.arch)
            .field("base", &format_args!("{:#x}", self.base))
            .field("size", &format_args!("{:#x}", self.size))
            .field("hash", &format_args!("{:016x}", self.hash))
            .finish_non_exhaustive()
    }
}
