//! Exports by name ("PE Format", The .edata Section).

use object::read::pe::ExportTable;

use super::LoadError;
use super::pe::{Directory, text};

/// The named exports of a mapped image with their RVAs, sorted by name. A forwarder is a name in
/// another module and no address, so it is left out: whoever imports it hears that it is missing.
pub(super) fn read(data: &[u8], directory: Directory) -> Result<Vec<(String, u32)>, LoadError> {
    let bad = |rva, problem| LoadError::BadTable {
        table: "export",
        rva,
        problem,
    };
    // The names may stand anywhere in the image; only the extent that marks a forwarder is the
    // directory's own.
    let table = data
        .get(directory.rva as usize..)
        .and_then(|table| ExportTable::parse(table, directory.rva).ok())
        .ok_or_else(|| bad(directory.rva, "it lies outside the image"))?;
    let mut exports = Vec::new();
    for (name, index) in table.name_iter() {
        let name = table
            .name_from_pointer(name)
            .map_err(|_| bad(name, "a name lies outside the image"))?;
        let rva = table
            .address_by_index(index)
            .map_err(|_| bad(directory.rva, "a name has no address"))?;
        if rva as usize >= data.len() {
            return Err(bad(rva, "an exported address lies outside the image"));
        }
        if !directory.contains(rva) {
            exports.push((text(name), rva));
        }
    }
    exports.sort_unstable();
    exports.dedup_by(|later, first| later.0 == first.0);
    Ok(exports)
}
