//! Symbols from the PDBs of a real linker (`fixtures/inlining.rs`), sound and damaged.

use emu::loader::{Image, LoadError, SourceFrame, parse};

use crate::checks::{check_against_library, use_image};
use crate::damage::Random;

struct Fixture {
    name: &'static str,
    driver: &'static [u8],
    pdb: &'static [u8],
}

macro_rules! fixture {
    ($name:literal) => {
        Fixture {
            name: $name,
            driver: include_bytes!(concat!("fixtures/", $name, ".sys")),
            pdb: include_bytes!(concat!("fixtures/", $name, ".pdb")),
        }
    };
}

const X86: Fixture = fixture!("x86");
const X64: Fixture = fixture!("x64");
const ARM64: Fixture = fixture!("arm64");

impl Fixture {
    /// The image with its symbols, away from its preferred base.
    fn load(&self) -> Image {
        let mut image = parse("inlining.sys", self.driver).unwrap();
        assert_eq!(image.arch.name(), self.name);
        image.attach_symbols(self.pdb).unwrap();
        image.relocate(0xF000_0000).unwrap();
        image
    }
}

/// The file with its checksum taken out, which would end nearly every damaged try.
fn without_checksum(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let header = u32::from_le_bytes(file[0x3C..0x40].try_into().unwrap()) as usize;
    let checksum = header + 24 + 64;
    assert_ne!(file[checksum..checksum + 4], [0; 4]);
    file[checksum..checksum + 4].fill(0);
    file
}

/// A source position on one line, innermost first, without what the core library adds.
fn position(image: &Image, va: u64) -> String {
    let own = |frame: &&SourceFrame| !frame.file.starts_with("/rustc/");
    let frames = image.source(va);
    let frames: Vec<String> = frames
        .iter()
        .filter(own)
        .map(|frame| format!("{} {}:{}", frame.function, frame.file, frame.line))
        .collect();
    frames.join(" < ")
}

/// Every stretch of a function with the same source position.
fn listing(image: &Image, name: &str) -> String {
    let start = image.symbol_address(name).unwrap();
    let mut listing = String::new();
    let mut last = String::new();
    for va in (start..).take_while(|va| image.function(*va).as_deref() == Some(name)) {
        let here = position(image, va);
        if here != last {
            listing += &format!("{:02x} {here}\n", va - start);
            last = here;
        }
    }
    listing
}

#[test]
fn every_instruction_knows_its_inlined_calls() {
    // Each address is the one of an instruction in the disassembly that does what the line says.
    let expected = [
        (
            &X86,
            "\
00 inlining::count /fixtures/inlining.rs:25 < inlining::paged::twice /fixtures/inlining.rs:32 < inlining::paged::Paged /fixtures/inlining.rs:40
09 inlining::count /fixtures/inlining.rs:26 < inlining::paged::twice /fixtures/inlining.rs:32 < inlining::paged::Paged /fixtures/inlining.rs:40
0e inlining::count /fixtures/inlining.rs:25 < inlining::paged::twice /fixtures/inlining.rs:33 < inlining::paged::Paged /fixtures/inlining.rs:40
13 inlining::paged::Paged /fixtures/inlining.rs:41
1c inlining::paged::Paged /fixtures/inlining.rs:42
",
        ),
        (
            &X64,
            "\
00 inlining::count /fixtures/inlining.rs:25 < inlining::paged::twice /fixtures/inlining.rs:32 < inlining::paged::Paged /fixtures/inlining.rs:40
06 inlining::count /fixtures/inlining.rs:26 < inlining::paged::twice /fixtures/inlining.rs:32 < inlining::paged::Paged /fixtures/inlining.rs:40
0c inlining::count /fixtures/inlining.rs:25 < inlining::paged::twice /fixtures/inlining.rs:33 < inlining::paged::Paged /fixtures/inlining.rs:40
12 inlining::paged::Paged /fixtures/inlining.rs:41
1b inlining::paged::Paged /fixtures/inlining.rs:42
",
        ),
        (
            &ARM64,
            "\
00 inlining::count /fixtures/inlining.rs:25 < inlining::paged::twice /fixtures/inlining.rs:32 < inlining::paged::Paged /fixtures/inlining.rs:40
08 inlining::count /fixtures/inlining.rs:26 < inlining::paged::twice /fixtures/inlining.rs:32 < inlining::paged::Paged /fixtures/inlining.rs:40
0c inlining::count /fixtures/inlining.rs:25 < inlining::paged::twice /fixtures/inlining.rs:33 < inlining::paged::Paged /fixtures/inlining.rs:40
10 inlining::count /fixtures/inlining.rs:26 < inlining::paged::twice /fixtures/inlining.rs:33 < inlining::paged::Paged /fixtures/inlining.rs:40
14 inlining::paged::Paged /fixtures/inlining.rs:41
20 inlining::paged::Paged /fixtures/inlining.rs:42
",
        ),
    ];
    for (fixture, expected) in expected {
        assert_eq!(listing(&fixture.load(), "inlining::paged::Paged"), expected);
    }
}

#[test]
fn the_library_sees_the_same() {
    for fixture in [X86, X64, ARM64] {
        check_against_library(&fixture.load(), fixture.pdb);
    }
}

#[test]
fn core_library_frames_are_innermost() {
    let image = X64.load();
    let frames = image.source(image.symbol_address("Paged").unwrap());
    let functions: Vec<&str> = frames.iter().map(|frame| frame.function.as_str()).collect();
    assert_eq!(
        functions,
        [
            "core::ptr::write_volatile",
            "core::ptr::mut_ptr::impl$0::write_volatile",
            "inlining::count",
            "inlining::paged::twice",
            "inlining::paged::Paged",
        ]
    );
    let inner = &frames[0].file;
    assert!(inner.ends_with("/library/core/src/ptr/mod.rs"), "{inner}");
}

#[test]
fn functions_and_their_edges() {
    for fixture in [X86, X64, ARM64] {
        let image = fixture.load();
        let symbols = image.symbols.as_ref().unwrap();
        let names: Vec<&str> = symbols.functions().map(|(_, _, name)| name).collect();
        assert_eq!(
            names,
            [
                "inlining::DriverEntry",
                "inlining::panic",
                "inlining::paged::Paged"
            ]
        );
        for (rva, length, name) in symbols.functions() {
            let start = image.base + u64::from(rva);
            let last = start + u64::from(length) - 1;
            assert_eq!(image.function(start).as_deref(), Some(name));
            assert_eq!(image.function(last).as_deref(), Some(name));
            assert!(!image.source(last).is_empty());
            assert_ne!(image.function(start - 1).as_deref(), Some(name));
            assert_ne!(image.function(last + 1).as_deref(), Some(name));
        }
        // The entry point, the export and the symbols of the linker are the same places.
        let entry = image.base + u64::from(image.entry_rva);
        assert_eq!(image.symbol_address("DriverEntry"), Some(entry));
        assert_eq!(image.symbol_address("inlining::DriverEntry"), Some(entry));
        let exported = image
            .exports
            .iter()
            .find(|(name, _)| name.contains("Paged"));
        let exported = image.base + u64::from(exported.unwrap().1);
        assert_eq!(
            image.symbol_address("inlining::paged::Paged"),
            Some(exported)
        );
        assert_eq!(
            image.symbol_address("inlining::paged::twice"),
            None,
            "inlined"
        );
        let headers = image.base;
        assert_eq!(image.function(headers), None);
        assert_eq!(image.source(headers), []);
        assert_eq!(image.source(image.base + image.size), []);
    }
    let decorated = X86.load();
    assert_eq!(
        decorated.symbol_address("_DriverEntry@8"),
        decorated.symbol_address("DriverEntry")
    );
}

#[test]
fn functions_are_found_by_the_end_of_their_path() {
    let image = ARM64.load();
    let found = image.functions_named("inlining::paged::Paged");
    assert_eq!(found, [image.symbol_address("Paged").unwrap()]);
    assert_eq!(image.functions_named("paged::Paged"), found);
    assert_eq!(image.functions_named("Paged"), found);
    assert!(image.functions_named("aged").is_empty(), "half a name");
    assert!(image.functions_named("twice").is_empty(), "only inlined");
}

#[test]
fn symbols_move_with_the_image() {
    let mut image = X64.load();
    let before = image.symbol_address("Paged").unwrap();
    image.relocate(0xFFFF_FADF_9000_0000).unwrap();
    let after = image.symbol_address("Paged").unwrap();
    assert_eq!(after - image.base, before - 0xF000_0000);
    assert_eq!(image.source(before), []);
    assert_eq!(image.source(after).len(), 5);
}

#[test]
fn a_pdb_belongs_to_one_image() {
    let mut image = parse("inlining.sys", X64.driver).unwrap();
    let error = image.attach_symbols(ARM64.pdb).unwrap_err();
    let LoadError::PdbMismatch { image: wanted, pdb } = error else {
        panic!("{error}");
    };
    assert_eq!(Some(wanted), image.pdb_id);
    assert_eq!(Some(pdb), parse("a.sys", ARM64.driver).unwrap().pdb_id);
    assert!(image.symbols.is_none());
    assert_eq!(image.pdb_name.as_deref(), Some("inlining.pdb"));

    // A later age of the same PDB: rewritten, so no longer what was linked.
    let record = X64.driver.windows(4).position(|bytes| bytes == b"RSDS");
    let mut file = without_checksum(X64.driver);
    file[record.unwrap() + 20] += 1;
    let mut newer = parse("inlining.sys", &file).unwrap();
    assert!(matches!(
        newer.attach_symbols(X64.pdb),
        Err(LoadError::PdbMismatch { image, pdb }) if image.age == pdb.age + 1
    ));

    image.pdb_id = None;
    assert_eq!(
        image.attach_symbols(X64.pdb),
        Err(LoadError::NoPdbReference)
    );
}

#[test]
fn what_is_no_pdb() {
    let mut image = parse("inlining.sys", X64.driver).unwrap();
    for file in [&b""[..], b"Microsoft", X64.driver] {
        let error = image.attach_symbols(file).unwrap_err();
        assert!(matches!(error, LoadError::BadPdb { .. }), "{error}");
    }
}

/// Runs `check` while panics of this thread stay silent: those that the loader catches are part
/// of the test.
fn without_panic_messages(check: impl FnOnce()) {
    let here = std::thread::current().id();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() != here {
            usual(panic);
        }
    }));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check));
    let _ = std::panic::take_hook();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn damaged_images_of_a_linker() {
    let mut random = Random(0xBAD);
    let mut sound = 0;
    for fixture in [X86, X64, ARM64] {
        for length in 0..fixture.driver.len() {
            assert!(parse("a.sys", &fixture.driver[..length]).is_err());
        }
        for _ in 0..5_000 {
            let mut file = without_checksum(fixture.driver);
            for _ in 0..=random.below(4) {
                let at = random.below(file.len());
                file[at] = random.next() as u8;
            }
            if let Ok(mut image) = parse("a.sys", &file) {
                use_image(&mut image);
                sound += 1;
            }
        }
    }
    assert!(sound > 1000, "{sound}");
}

#[test]
fn damaged_pdbs() {
    without_panic_messages(|| {
        let mut random = Random(0xDA7A);
        let (mut broken, mut sound) = (0, 0);
        for fixture in [X86, X64, ARM64] {
            let mut image = parse("inlining.sys", fixture.driver).unwrap();
            let used: Vec<usize> = (0..fixture.pdb.len())
                .filter(|at| fixture.pdb[*at] != 0)
                .collect();
            let mut attach = |file: &[u8]| match image.attach_symbols(file) {
                Ok(()) => {
                    for va in (image.base..image.base + image.size).step_by(7) {
                        image.function(va);
                        image.source(va);
                    }
                    sound += 1;
                }
                Err(error) => {
                    assert!(matches!(
                        error,
                        LoadError::BadPdb { .. } | LoadError::PdbMismatch { .. }
                    ));
                    broken += 1;
                }
            };
            for length in (0..fixture.pdb.len()).step_by(512) {
                attach(&fixture.pdb[..length]);
            }
            for _ in 0..2_000 {
                let mut file = fixture.pdb.to_vec();
                for _ in 0..=random.below(4) {
                    let at = used[random.below(used.len())];
                    file[at] = match random.below(3) {
                        0 => file[at] ^ (1 << random.below(8)),
                        1 => 0xFF,
                        _ => random.next() as u8,
                    };
                }
                attach(&file);
            }
        }
        assert!(
            broken > 500 && sound > 500,
            "{broken} broken, {sound} sound"
        );
    });
}
