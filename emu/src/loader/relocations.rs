//! Base relocations: where absolute addresses stand in an image ("PE Format", The .reloc
//! Section). x86 images use HIGHLOW only, x64 and arm64 images DIR64 only; ABSOLUTE is padding.

use isa::Arch;
use object::pe;
use object::read::pe::RelocationBlockIterator;

use super::LoadError;
use super::pe::Directory;

/// One absolute address in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relocation {
    /// Where it stands, relative to the base.
    pub rva: u32,
    /// How wide it is.
    pub kind: RelocationKind,
}

/// The width of an absolute address in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelocationKind {
    /// 32 bits (`IMAGE_REL_BASED_HIGHLOW`).
    HighLow,
    /// 64 bits (`IMAGE_REL_BASED_DIR64`).
    Dir64,
}

impl RelocationKind {
    fn width(self) -> usize {
        match self {
            RelocationKind::HighLow => 4,
            RelocationKind::Dir64 => 8,
        }
    }
}

/// Reads the relocation table of a mapped image and checks that each entry lies inside the image.
pub(super) fn read(
    data: &[u8],
    directory: Directory,
    arch: Arch,
) -> Result<Vec<Relocation>, LoadError> {
    let bad = |rva, problem| LoadError::BadTable {
        table: "relocation",
        rva,
        problem,
    };
    let table = directory
        .bytes(data)
        .ok_or_else(|| bad(directory.rva, "it lies outside the image"))?;
    let mut relocations = Vec::new();
    for block in RelocationBlockIterator::new(table) {
        let block = block.map_err(|_| bad(directory.rva, "a block has an impossible size"))?;
        for entry in block {
            let rva = entry.virtual_address;
            let kind = match (entry.typ, arch) {
                (pe::IMAGE_REL_BASED_ABSOLUTE, _) => continue,
                (pe::IMAGE_REL_BASED_HIGHLOW, Arch::X86) => RelocationKind::HighLow,
                (pe::IMAGE_REL_BASED_DIR64, Arch::X64 | Arch::Arm64) => RelocationKind::Dir64,
                (kind, _) => return Err(LoadError::BadRelocation { rva, kind: kind.0 }),
            };
            if rva as usize + kind.width() > data.len() {
                return Err(bad(rva, "it changes bytes outside the image"));
            }
            relocations.push(Relocation { rva, kind });
        }
    }
    relocations.sort_unstable();
    Ok(relocations)
}

/// Adds `delta`, modulo the width, to every absolute address of a mapped image.
pub(super) fn apply(data: &mut [u8], relocations: &[Relocation], delta: u64) {
    for relocation in relocations {
        let start = relocation.rva as usize;
        let place = &mut data[start..start + relocation.kind.width()];
        let mut value = [0; 8];
        value[..place.len()].copy_from_slice(place);
        let moved = u64::from_le_bytes(value).wrapping_add(delta);
        place.copy_from_slice(&moved.to_le_bytes()[..place.len()]);
    }
}
