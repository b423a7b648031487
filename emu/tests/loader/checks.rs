//! What holds for every image, hand-made, linked or built from drivers' sources.

use emu::loader::{Image, LoadError, SourceFrame};
use pdb_addr2line::{ContextPdbData, TypeFormatterFlags, pdb};

/// Does with an image what a machine does with it.
pub fn use_image(image: &mut Image) {
    assert_eq!(image.data.len() as u64, image.size.next_multiple_of(0x1000));
    for import in image.imports.clone() {
        image.bind(import.slot_rva, 0xFFFF_F800_0000_0000);
    }
    let entry = image.base + u64::from(image.entry_rva);
    assert!(image.section(entry).unwrap().execute);
    for section in &image.sections {
        assert!(u64::from(section.rva) + u64::from(section.size) <= image.size);
        image.source(image.base + u64::from(section.rva));
    }
    for (name, rva) in &image.exports {
        assert_eq!(
            image.symbol_address(name),
            Some(image.base + u64::from(*rva))
        );
    }
    let moved = image.relocate(0x7FFF_0000);
    assert!(matches!(
        moved,
        Ok(()) | Err(LoadError::NoRelocations { .. } | LoadError::BadBase { .. })
    ));
}

/// Checks every address of an image against the lookup that `pdb-addr2line` does by itself, one
/// address at a time from the PDB.
pub fn check_against_library(image: &Image, pdb: &[u8]) {
    let pdb = pdb::PDB::open(std::io::Cursor::new(pdb)).unwrap();
    let data = ContextPdbData::try_from_pdb(pdb).unwrap();
    let flags = TypeFormatterFlags::default() | TypeFormatterFlags::NO_ARGUMENTS;
    let context = data.make_context_with_formatter_flags(flags).unwrap();
    let mut compared = 0;
    for section in image.sections.iter().filter(|section| section.execute) {
        for rva in section.rva..section.rva + section.size {
            let ours = image.source(image.base + u64::from(rva));
            let found = context.find_frames(rva).unwrap();
            let theirs: Vec<SourceFrame> = found
                .into_iter()
                .flat_map(|found| found.frames)
                .filter_map(|frame| {
                    Some(SourceFrame {
                        function: frame.function?,
                        file: frame.file?.replace('\\', "/"),
                        line: frame.line?,
                    })
                })
                .collect();
            match (image.function(image.base + u64::from(rva)), ours.as_slice()) {
                // Between functions the library shows the function before.
                (None, []) => {}
                // For assembly it shows the line of whatever was compiled before.
                (Some(name), []) => assert!(!name.contains("::"), "{name} has no lines"),
                _ => {
                    assert_eq!(ours, theirs, "{} + 0x{rva:x}", image.name);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 0);
}
