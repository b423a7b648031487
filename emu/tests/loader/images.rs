//! What a sound image is taken for, on each machine.

use emu::loader::{Image, Import, LoadError, Relocation, RelocationKind, parse};
use isa::Arch;

use crate::writer::*;

fn load(pe: &Pe) -> Image {
    parse("C:\\Windows\\System32\\Drivers\\Sample.sys", &pe.build()).unwrap()
}

fn pointer_at(image: &Image, rva: u32) -> u64 {
    let width = image.arch.pointer_size() as usize;
    let mut bytes = [0; 8];
    bytes[..width].copy_from_slice(&image.data[rva as usize..][..width]);
    u64::from_le_bytes(bytes)
}

#[test]
fn headers_and_tables() {
    for (machine, arch) in [(X86, Arch::X86), (X64, Arch::X64), (ARM64, Arch::Arm64)] {
        let pe = driver(machine);
        let file = pe.build();
        let image = load(&pe);
        assert_eq!(image.name, "sample.sys");
        assert_eq!(image.arch, arch);
        assert_eq!((image.preferred_base, image.base), (pe.base, pe.base));
        assert_eq!((image.size, image.data.len()), (0x8000, 0x8000));
        assert_eq!(image.entry_rva, INIT + 4);
        assert_eq!(image.timestamp, 0x45AC_AB21);
        assert_ne!(image.checksum, 0);
        assert_eq!(image.hash, twox_hash::XxHash3_64::oneshot(&file));
        assert!(!image.fixed);

        assert_eq!(image.pdb_name.as_deref(), Some("Sample.pdb"));
        assert_eq!(
            image.pdb_id.unwrap().to_string(),
            "{03020100-0504-0706-0809-0A0B0C0D0E0F} age 7"
        );
        let unwind = pe.directories[UNWIND];
        assert_eq!(image.pdata, (arch != Arch::X86).then_some(unwind));
        assert_eq!(
            image.exports,
            [
                ("NatClose".to_string(), TEXT + 2),
                ("NatDispatch".to_string(), PAGE)
            ]
        );
        let kind = match arch {
            Arch::X86 => RelocationKind::HighLow,
            _ => RelocationKind::Dir64,
        };
        assert_eq!(image.relocations, [Relocation { rva: POINTER, kind }]);
    }
}

#[test]
fn the_image_is_laid_out_at_its_addresses() {
    for machine in [X86, X64, ARM64] {
        let pe = driver(machine);
        let file = pe.build();
        let image = load(&pe);
        assert_eq!(image.data[..0x400], file[..0x400], "headers");
        let mut offset = 0x400;
        for section in &pe.sections {
            let start = section.rva as usize;
            let contents = &section.contents;
            assert_eq!(&image.data[start..start + contents.len()], contents);
            let after = &image.data[start + contents.len()..start + 0x1000];
            assert!(after.iter().all(|byte| *byte == 0), "{}", section.name);
            offset += contents.len().next_multiple_of(0x200);
        }
        assert_eq!(offset + pe.debug_record.len(), file.len());
    }
}

#[test]
fn contents_longer_than_the_section_are_cut() {
    let mut pe = driver(X64);
    pe.section(".text").contents = vec![0xCC; 0x200];
    pe.section("PAGE").size = 0; // old linkers: as long as the contents in the file
    let image = load(&pe);
    let text = TEXT as usize;
    assert_eq!(image.data[text..text + 0x20], [0xCC; 0x20]);
    assert_eq!(image.data[text + 0x20..text + 0x200], [0; 0x1E0]);
    assert_eq!(image.sections[3].size, 0x200);
}

#[test]
fn section_rights_follow_flags_and_names() {
    let mut pe = driver(X64);
    pe.section(".text").flags |= DISCARDABLE;
    let image = load(&pe);
    let facts = |name: &str| {
        let found = image.sections.iter().find(|section| section.name == name);
        let it = found.unwrap();
        let rights = [
            (it.read, 'r'),
            (it.write, 'w'),
            (it.execute, 'x'),
            (it.pageable, 'p'),
            (it.discardable, 'd'),
        ];
        let letters = rights.map(|(has, letter)| if has { letter } else { '-' });
        (it.rva, it.size, String::from_iter(letters))
    };
    assert_eq!(facts(".text"), (TEXT, 0x20, "r-x-d".to_string()));
    assert_eq!(facts(".rdata"), (RDATA, 0x800, "r----".to_string()));
    assert_eq!(facts(".data"), (DATA, 0x300, "rw---".to_string()));
    assert_eq!(facts("PAGE"), (PAGE, 0x10, "r-xp-".to_string()));
    assert_eq!(facts("INIT"), (INIT, 0x10, "r-x-d".to_string()));
    assert_eq!(facts(".reloc"), (RELOC, 0x100, "r---d".to_string()));

    pe.section("PAGE").name = "PAGELK";
    let locked_on_demand = load(&pe);
    assert!(locked_on_demand.sections[3].pageable);
    pe.section("PAGELK").flags |= NOT_PAGED;
    assert!(!load(&pe).sections[3].pageable);
    pe.section("PAGELK").name = "NOPAGE";
    pe.section("NOPAGE").flags = CODE;
    assert!(!load(&pe).sections[3].pageable);
}

#[test]
fn imports_by_name() {
    for (machine, width) in [(X86, 4), (X64, 8), (ARM64, 8)] {
        let mut image = load(&driver(machine));
        let import = |module: &str, name: &str, slot_rva| Import {
            module: module.to_string(),
            name: name.to_string(),
            slot_rva,
        };
        let slots: Vec<u32> = image.imports.iter().map(|it| it.slot_rva).collect();
        assert_eq!(slots[1], slots[0] + width);
        assert_eq!(
            image.imports,
            [
                import("ntoskrnl.exe", "ExAllocatePoolWithTag", slots[0]),
                import("ntoskrnl.exe", "IofCompleteRequest", slots[1]),
                import("hal.dll", "KfRaiseIrql", slots[2]),
            ]
        );
        // Unbound, a slot holds where the name is.
        let name = pointer_at(&image, slots[2]) as usize + 2;
        assert_eq!(&image.data[name..name + 11], b"KfRaiseIrql");

        let neighbour = pointer_at(&image, slots[1]);
        image.bind(slots[0], 0xFFFF_F800_1234_5678);
        let whole = pointer_at(&image, slots[0]);
        assert_eq!(whole, image.arch.truncate(0xFFFF_F800_1234_5678));
        assert_eq!(pointer_at(&image, slots[1]), neighbour);
        image.bind(END - 2, 1); // outside: ignored
    }
}

#[test]
fn an_image_without_a_lookup_table_is_read_from_its_slots() {
    let mut pe = driver(X86);
    let (table, _) = pe.directories[IMPORT];
    let lookup = (table - RDATA) as usize;
    pe.section(".rdata").contents[lookup..lookup + 4].fill(0);
    assert_eq!(load(&pe).imports, load(&driver(X86)).imports);
}

#[test]
fn relocation_moves_every_absolute_address() {
    let bases = [
        (X86, 0x8010_0000u64, 0xF27B_0000u64),
        (X64, 0xFFFF_F800_0010_0000, 0xFFFF_FADF_9000_0000),
        (ARM64, 0xFFFF_F800_0010_0000, 0x1_0000),
    ];
    for (machine, first, second) in bases {
        let original = load(&driver(machine));
        let mut image = original.clone();
        let page = |image: &Image| image.base + u64::from(PAGE);
        for base in [first, second, original.base] {
            image.relocate(base).unwrap();
            assert_eq!(image.base, base);
            assert_eq!(pointer_at(&image, POINTER), page(&image));
        }
        assert_eq!(image.data, original.data, "there and back again");

        image.relocate(first).unwrap();
        let changed = image.data.iter().zip(&original.data);
        let changed: Vec<usize> = changed
            .enumerate()
            .filter_map(|(at, (new, old))| (new != old).then_some(at))
            .collect();
        let pointer = POINTER as usize..POINTER as usize + 8;
        assert!(!changed.is_empty() && changed.iter().all(|at| pointer.contains(at)));
        assert_eq!(image.preferred_base, original.base);
    }
}

#[test]
fn an_image_that_cannot_move_stays() {
    let mut pe = driver(X64);
    pe.characteristics |= 1; // IMAGE_FILE_RELOCS_STRIPPED
    pe.directories[RELOCATION] = (0, 0);
    let mut image = load(&pe);
    assert_eq!(image.relocate(pe.base), Ok(()));
    let refused = image.relocate(0x10_0000).unwrap_err();
    assert_eq!(
        refused,
        LoadError::NoRelocations {
            preferred: pe.base,
            wanted: 0x10_0000
        }
    );
    assert_eq!(image.base, pe.base);
    assert_eq!(
        refused.to_string(),
        "it has no relocations and can only be loaded at 0x140000000, not at 0x100000; link it \
         with /DYNAMICBASE and without /FIXED"
    );

    // Position-independent code needs none, and says so by not being stripped.
    pe.characteristics &= !1;
    assert_eq!(load(&pe).relocate(0x10_0000), Ok(()));
}

#[test]
fn a_base_must_be_aligned_and_addressable() {
    for (machine, base) in [
        (X86, 0x8010_0800),
        (X86, 0xFFFF_9000),
        (X86, 0xFFFF_F800_0010_0000),
        (X64, 0xFFFF_FFFF_FFFF_F000),
    ] {
        let mut image = load(&driver(machine));
        let before = image.data.clone();
        let size = 0x8000;
        assert_eq!(
            image.relocate(base).unwrap_err(),
            LoadError::BadBase { base, size }
        );
        assert_eq!(image.data, before);
    }
    assert_eq!(load(&driver(X86)).relocate(0xFFFF_7000), Ok(()));
}

#[test]
fn addresses_belong_to_images_and_sections() {
    let mut image = load(&driver(X64));
    let base = 0xFFFF_F800_0010_0000;
    image.relocate(base).unwrap();
    assert!(image.contains(base) && image.contains(base + 0x7FFF));
    assert!(!image.contains(base - 1) && !image.contains(base + 0x8000));
    assert_eq!(image.rva(base + 0x1234), Some(0x1234));
    let section = |rva| image.section(base + rva).map(|it| it.name.as_str());
    assert_eq!(section(u64::from(TEXT) + 0x1F), Some(".text"));
    assert_eq!(section(u64::from(TEXT) + 0x20), None);
    assert_eq!(section(0), None);
    assert_eq!(
        image.symbol_address("NatDispatch"),
        Some(base + u64::from(PAGE))
    );
    assert_eq!(image.symbol_address("NatDispatc"), None);
    assert_eq!(image.function(base + u64::from(PAGE)), None, "no symbols");
    assert_eq!(image.source(base + u64::from(PAGE)), []);
}

#[test]
fn the_version_resource() {
    let version = load(&driver(ARM64)).version.unwrap();
    assert_eq!(version.file_version, [5, 2, 3790, 1830]);
    assert_eq!(version.product_version, [5, 2, 3790, 0]);
    assert_eq!(version.flags, 2);
    let strings: Vec<(&str, &str)> = version
        .strings
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        strings,
        [
            ("FileDescription", "Made to measure"),
            ("OriginalFilename", "sample.sys")
        ]
    );

    let mut without = driver(ARM64);
    without.directories[RESOURCE] = (0, 0);
    assert_eq!(load(&without).version, None);
    // Resources, but no version among them: the type's number is a dialog's.
    let mut dialog = driver(ARM64);
    dialog.section(".rsrc").contents[16] = 5;
    assert_eq!(load(&dialog).version, None);
}

#[test]
fn forwarded_exports_are_not_addresses() {
    let mut pe = driver(X64);
    let mut rdata = Blob::at(RDATA + 0x600);
    let (start, length) = rdata.exports(&[("Here", TEXT), ("There", RDATA + 0x600 + 40)]);
    pe.section(".rdata").contents.resize(0x600, 0);
    pe.section(".rdata").contents.extend(rdata.data);
    pe.directories[EXPORT] = (start, length);
    pe.directories[DEBUG] = (0, 0);
    assert_eq!(load(&pe).exports, [("Here".to_string(), TEXT)]);
}
