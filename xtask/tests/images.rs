//! What holds for every built driver image. `cargo xtask drivers` builds them.

use object::pe::SectionFlags;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, Import, PeFile, PeFile32, PeFile64};
use object::{LittleEndian as LE, Object, pe};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One entry of the index with the bytes of its files.
struct Built {
    facts: Value,
    image: Vec<u8>,
    symbols: Vec<u8>,
}

impl Built {
    fn fact(&self, key: &str) -> &str {
        self.facts[key].as_str().unwrap()
    }
}

fn built() -> Vec<Built> {
    let folder = root().join("target/drivers");
    let index = fs::read_to_string(folder.join("index.json"))
        .expect("no target/drivers/index.json: run `cargo xtask drivers`");
    let index: Value = serde_json::from_str(&index).unwrap();
    let files = index["files"].as_array().unwrap().iter();
    let built: Vec<Built> = files
        .map(|facts| Built {
            image: fs::read(folder.join(facts["path"].as_str().unwrap())).unwrap(),
            symbols: fs::read(folder.join(facts["pdb"].as_str().unwrap())).unwrap(),
            facts: facts.clone(),
        })
        .collect();
    assert!(!built.is_empty());
    built
}

/// Calls `check` with the PE file of the image's own word size.
macro_rules! for_each_image {
    ($check:ident) => {
        for built in &built() {
            match built.fact("arch") {
                "x86" => $check(built, &PeFile32::parse(&*built.image).unwrap()),
                _ => $check(built, &PeFile64::parse(&*built.image).unwrap()),
            }
        }
    };
}

#[test]
fn headers_are_a_driver_s() {
    for_each_image!(check_headers);
}

fn check_headers<Pe: ImageNtHeaders>(built: &Built, file: &PeFile<'_, Pe>) {
    let path = built.fact("path");
    let headers = file.nt_headers();
    let machine = match built.fact("arch") {
        "x86" => pe::IMAGE_FILE_MACHINE_I386,
        "x64" => pe::IMAGE_FILE_MACHINE_AMD64,
        _ => pe::IMAGE_FILE_MACHINE_ARM64,
    };
    let header = headers.file_header();
    assert_eq!(header.machine.get(LE), machine, "{path}");
    let flags = header.characteristics.get(LE);
    assert!(!flags.contains(pe::IMAGE_FILE_RELOCS_STRIPPED), "{path}");
    let optional = headers.optional_header();
    assert_eq!(optional.subsystem(), pe::IMAGE_SUBSYSTEM_NATIVE, "{path}");
    assert_eq!(
        section_of(file, optional.address_of_entry_point()),
        "INIT",
        "{path}"
    );

    // Each architecture's time stamp is the date of one of its own profiles, if one has a date.
    let dates = built.facts["dates"].as_object().unwrap();
    let own: &[&str] = match built.fact("arch") {
        "x86" => &["i386"],
        "x64" => &["amd64"],
        _ => &["arm64", "alpha", "ia64"],
    };
    let stamp = header.time_date_stamp.get(LE);
    let own = own.iter().filter_map(|profile| dates.get(*profile));
    let mut own = own.map(|date| unix_seconds(date.as_str().unwrap()));
    assert!(own.any(|date| date == stamp), "{path}: {stamp}");
}

/// The system's own reading of a date in UTC.
fn unix_seconds(date: &str) -> u32 {
    let output = Command::new("date")
        .args(["-u", "+%s", "-d", date])
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    text.trim().parse().unwrap()
}

fn section_of<Pe: ImageNtHeaders>(file: &PeFile<'_, Pe>, address: u32) -> String {
    let section = file.section_table().iter().find(|section| {
        let start = section.virtual_address.get(LE);
        (start..start + section.virtual_size.get(LE)).contains(&address)
    });
    String::from_utf8_lossy(section.unwrap().raw_name()).into_owned()
}

#[test]
fn sections_have_the_rights_that_their_names_say() {
    for_each_image!(check_sections);
}

fn check_sections<Pe: ImageNtHeaders>(built: &Built, file: &PeFile<'_, Pe>) {
    const R: SectionFlags = pe::IMAGE_SCN_MEM_READ;
    const W: SectionFlags = pe::IMAGE_SCN_MEM_WRITE;
    const X: SectionFlags = pe::IMAGE_SCN_MEM_EXECUTE;
    const D: SectionFlags = pe::IMAGE_SCN_MEM_DISCARDABLE;
    let path = built.fact("path");
    let mut names = Vec::new();
    for section in file.section_table().iter() {
        let name = String::from_utf8_lossy(section.raw_name()).into_owned();
        let expected = match name.as_str() {
            ".text" => R | X,
            ".rdata" | ".pdata" | ".rsrc" => R,
            ".data" => R | W,
            ".reloc" => R | D,
            "INIT" => R | X | D,
            code if code.starts_with("PAGE") => R | X,
            _ => panic!("{path}: section {name}"),
        };
        let rights = section.characteristics.get(LE) & (R | W | X | D);
        assert_eq!(rights, expected, "{path}: {name}");
        names.push(name);
    }
    let unwinds_by_table = built.fact("arch") != "x86";
    assert_eq!(
        names.iter().any(|name| name == ".pdata"),
        unwinds_by_table,
        "{path}"
    );
    // A driver without an absolute address in it has nothing to relocate; x86 code always has some.
    let relocates = names.iter().any(|name| name == ".reloc");
    assert!(relocates || built.fact("arch") != "x86", "{path}");
}

#[test]
fn imports_are_a_kernel_s_by_undecorated_name() {
    for_each_image!(check_imports);
}

fn check_imports<Pe: ImageNtHeaders>(built: &Built, file: &PeFile<'_, Pe>) {
    const MODULES: [&str; 4] = ["ntoskrnl.exe", "hal.dll", "ndis.sys", "tdi.sys"];
    let path = built.fact("path");
    let table = file.import_table().unwrap().unwrap();
    let mut descriptors = table.descriptors().unwrap();
    let mut count = 0;
    while let Some(descriptor) = descriptors.next().unwrap() {
        let module = table.name(descriptor.name.get(LE)).unwrap();
        let module = String::from_utf8_lossy(module);
        assert!(MODULES.contains(&&*module), "{path}: {module}");
        let names = descriptor.original_first_thunk.get(LE);
        let mut thunks = table.thunks(names).unwrap();
        while let Some(thunk) = thunks.next::<Pe>().unwrap() {
            let Import::Name(_, name) = table.import::<Pe>(thunk).unwrap() else {
                panic!("{path}: {module} by ordinal");
            };
            let name = String::from_utf8_lossy(name);
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            assert!(plain && !name.starts_with('_'), "{path}: {name}");
            count += 1;
        }
    }
    assert!(count > 0, "{path}");
}

#[test]
fn the_version_resource_says_the_version() {
    for built in &built() {
        for key in ["file_version", "product_version", "description"] {
            let text = built.fact(key).encode_utf16();
            let text: Vec<u8> = text.flat_map(u16::to_le_bytes).collect();
            let found = built.image.windows(text.len()).any(|bytes| bytes == text);
            assert!(found, "{}: no {key}", built.fact("path"));
        }
    }
}

#[test]
fn nothing_of_the_building_machine_is_inside() {
    let root = root().canonicalize().unwrap();
    let home = std::env::var("HOME").unwrap();
    for built in &built() {
        let path = built.fact("path");
        for place in [root.to_str().unwrap(), &home] {
            for bytes in [&built.image, &built.symbols] {
                let found = bytes.windows(place.len()).any(|b| b == place.as_bytes());
                assert!(!found, "{path}: names {place}");
            }
        }
        // The image names its symbol file without a folder.
        let name = format!("{}.pdb\0", built.fact("driver"));
        let at = built
            .image
            .windows(name.len())
            .position(|b| b == name.as_bytes());
        // Before the name are the RSDS signature, a GUID and an age.
        let record = at.unwrap() - 24;
        assert_eq!(&built.image[record..record + 4], b"RSDS", "{path}");
    }
}

#[test]
fn a_defective_build_differs_from_the_correct_one_in_its_code() {
    let mut defective: BTreeMap<(String, String), Vec<Vec<u8>>> = BTreeMap::new();
    let mut correct = defective.clone();
    for built in &built() {
        let key = (
            built.fact("driver").to_string(),
            built.fact("arch").to_string(),
        );
        let is_defective = built.facts["features"]
            .as_array()
            .unwrap()
            .contains(&"buggy".into());
        let side = if is_defective {
            &mut defective
        } else {
            &mut correct
        };
        let file = object::File::parse(&*built.image).unwrap();
        let code = object::ObjectSection::data(&file.section_by_name(".text").unwrap());
        side.entry(key).or_default().push(code.unwrap().to_vec());
    }
    assert!(!defective.is_empty());
    for (key, codes) in defective {
        let correct = &correct[&key];
        assert!(codes.iter().all(|code| !correct.contains(code)), "{key:?}");
    }
}
