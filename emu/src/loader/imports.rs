//! Imports by name ("PE Format", The .idata Section).

use object::LittleEndian as LE;
use object::read::pe::{ImageNtHeaders, ImageThunkData, ImportTable};

use super::pe::text;
use super::{Import, LoadError};

/// More functions than any module exports. It bounds the work on a table whose descriptors all
/// share one endless list.
const MOST_IMPORTS: usize = 0x1_0000;

/// Reads the import table of a mapped image. The NT loader goes by the terminators and ignores the
/// directory's size, and so does this.
pub(super) fn read<Pe: ImageNtHeaders>(data: &[u8], rva: u32) -> Result<Vec<Import>, LoadError> {
    let bad = |rva, problem| LoadError::BadTable {
        table: "import",
        rva,
        problem,
    };
    let width = size_of::<Pe::ImageThunkData>();
    let table = ImportTable::new(data, 0, rva);
    let mut imports = Vec::new();
    let descriptors = table
        .descriptors()
        .map_err(|_| bad(rva, "it lies outside the image"))?;
    for descriptor in descriptors {
        let descriptor = descriptor.map_err(|_| bad(rva, "it has no end"))?;
        let name_rva = descriptor.name.get(LE);
        let module = table
            .name(name_rva)
            .map_err(|_| bad(name_rva, "a module's name lies outside the image"))?;
        let module = text(module).to_ascii_lowercase();
        let slots = descriptor.first_thunk.get(LE);
        // Old linkers leave out the lookup table; the address table then has the same contents
        // until it is bound.
        let lookup = match descriptor.original_first_thunk.get(LE) {
            0 => slots,
            lookup => lookup,
        };
        let mut thunks = table
            .thunks(lookup)
            .map_err(|_| bad(lookup, "a list of functions lies outside the image"))?;
        let mut slot = slots as usize;
        while let Some(thunk) = thunks
            .next::<Pe>()
            .map_err(|_| bad(lookup, "a list of functions has no end"))?
        {
            if thunk.is_ordinal() {
                return Err(LoadError::OrdinalImport {
                    module,
                    ordinal: thunk.ordinal(),
                });
            }
            let (_hint, name) = table
                .hint_name(thunk.address())
                .map_err(|_| bad(thunk.address(), "a function's name lies outside the image"))?;
            if slot + width > data.len() {
                return Err(bad(slots, "a slot lies outside the image"));
            }
            if imports.len() == MOST_IMPORTS {
                return Err(bad(rva, "it has more than 65536 functions"));
            }
            imports.push(Import {
                module: module.clone(),
                name: text(name),
                slot_rva: slot as u32,
            });
            slot += width;
        }
    }
    Ok(imports)
}
