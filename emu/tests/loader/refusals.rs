//! What is refused, and in which words.

use emu::loader::{LoadError, parse};
use isa::Arch;

use crate::writer::*;

/// A driver broken by `damage`, and the message that says so.
#[track_caller]
fn refused(machine: u16, damage: impl FnOnce(&mut Pe), message: &str) {
    let mut pe = driver(machine);
    pe.checksum = false;
    assert!(parse("whole.sys", &pe.build()).is_ok());
    damage(&mut pe);
    let error = parse("broken.sys", &pe.build()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn what_is_no_image() {
    let message = |file: &[u8]| parse("a.sys", file).unwrap_err().to_string();
    let not_pe = "not a PE image: it does not begin with 'MZ'; give the .sys file of a driver";
    assert_eq!(message(b""), not_pe);
    assert_eq!(message(b"\x7fELF"), not_pe);
    let mut dos = driver(X86).build();
    dos[0x80] = b'N';
    assert_eq!(
        message(&dos),
        "not a PE image: it has no PE header (a DOS, Windows 3 or OS/2 program?); give the .sys \
         file of a driver"
    );
}

#[test]
fn what_is_cut_off() {
    let file = driver(X64).build();
    let message = |length: usize| parse("a.sys", &file[..length]).unwrap_err().to_string();
    let cut = |what: &str, end: u64, length: usize| {
        format!(
            "the file is cut off: {what} should end at byte {end}, but the file has {length} \
             bytes; copy or build it again"
        )
    };
    assert_eq!(message(63), cut("the DOS header", 64, 63));
    assert_eq!(message(0x83), cut("the PE header", 0x84, 0x83));
    assert_eq!(message(0x97), cut("the file header", 0x98, 0x97));
    assert_eq!(message(0x187), cut("the optional header", 0x188, 0x187));
    assert_eq!(message(0x200), cut("the section table", 0x2A0, 0x200));
    assert_eq!(message(0x3FF), cut("the headers", 0x400, 0x3FF));
    assert_eq!(message(0x5FF), cut("section '.text'", 0x600, 0x5FF));
    let all = file.len();
    assert!(message(all - 1).starts_with("the header's checksum is 0x"));
}

#[test]
fn machines() {
    refused(
        X86,
        |pe| pe.machine = 0x0184,
        "built for Alpha (0x0184), which is not emulated; build the driver for x86 (0x014c), x64 \
         (0x8664) or arm64 (0xaa64)",
    );
    let image = parse("a.sys", &driver(ARM64).build()).unwrap();
    assert_eq!(image.require(Arch::Arm64), Ok(()));
    assert_eq!(
        image.require(Arch::X64).unwrap_err().to_string(),
        "built for arm64 (0xaa64), but this machine runs x64 (0x8664); use the x64 build of the \
         driver, or another profile"
    );
}

#[test]
fn headers() {
    let bad = |field: &str, value: u64| {
        format!("the PE header field {field} cannot be 0x{value:x}; link the driver again")
    };
    refused(X64, |pe| pe.magic = 0x10b, &bad("Magic", 0x10b));
    refused(
        X64,
        |pe| pe.alignment = 0x1800,
        &bad("SectionAlignment", 0x1800),
    );
    refused(X64, |pe| pe.alignment = 0, &bad("SectionAlignment", 0));
    refused(X64, |pe| pe.size = 0, &bad("SizeOfImage", 0));
    refused(X64, |pe| pe.size = 0x300, &bad("SizeOfHeaders", 0x400));
    refused(
        X64,
        |pe| pe.size = 0xFFFF_F000,
        &bad("SizeOfImage", 0xFFFF_F000),
    );
    let top = 0xFFFF_FFFF_FFFF_9000;
    refused(X64, |pe| pe.base = top, &bad("ImageBase", top));
    refused(
        X86,
        |pe| pe.base = 0xFFFF_9000,
        &bad("ImageBase", 0xFFFF_9000),
    );
    refused(X86, |pe| pe.base = 0x1_0200, &bad("ImageBase", 0x1_0200));
    for entry in [0, DATA, INIT + 0x10, END] {
        let message = bad("AddressOfEntryPoint", entry.into());
        refused(X86, |pe| pe.entry = entry, &message);
    }
    refused(
        X86,
        |pe| pe.subsystem = 3,
        "its subsystem is 3, and a driver has 1 (native); link it with /SUBSYSTEM:NATIVE",
    );
}

#[test]
fn the_checksum() {
    let mut file = driver(X86).build();
    let at = file.len() - 1;
    file[at] ^= 0x40;
    let error = parse("a.sys", &file).unwrap_err();
    assert!(matches!(error, LoadError::Checksum { stored, computed } if stored != computed));
    assert!(error.to_string().contains("changed or damaged"), "{error}");
}

#[test]
fn sections() {
    let bad =
        |name: &str, problem: &str| format!("section '{name}' {problem}; link the driver again");
    refused(
        X64,
        |pe| pe.section(".data").rva += 0x200,
        &bad(".data", "is not aligned as the header says"),
    );
    refused(
        X64,
        |pe| pe.section(".data").rva = TEXT,
        &bad(".data", "overlaps what is before it"),
    );
    refused(
        X64,
        |pe| pe.section(".text").size = 0x1001,
        &bad(".rdata", "overlaps what is before it"),
    );
    refused(
        X64,
        |pe| pe.section(".text").rva = 0,
        &bad(".text", "overlaps what is before it"),
    );
    refused(
        X64,
        |pe| pe.section(".reloc").size = 0x1001,
        &bad(".reloc", "reaches beyond the end of the image"),
    );
    refused(
        X64,
        |pe| pe.section(".reloc").size = u32::MAX,
        &bad(".reloc", "reaches beyond the end of the image"),
    );
}

/// Replaces the import table of a driver.
fn with_imports(pe: &mut Pe, modules: &[(&str, &[Function])]) {
    let pointer = pe.pointer_size();
    let mut table = Blob::at(RDATA + 0x600);
    pe.directories[IMPORT] = table.imports(modules, pointer);
    pe.directories[DEBUG] = (0, 0);
    let rdata = &mut pe.section(".rdata").contents;
    rdata.resize(0x600, 0);
    rdata.extend(table.data);
}

#[test]
fn imports() {
    for machine in [X86, X64, ARM64] {
        refused(
            machine,
            |pe| {
                let functions = [
                    Function::Name("RtlInitUnicodeString"),
                    Function::Ordinal(42),
                ];
                with_imports(pe, &[("NDIS.SYS", &functions)]);
            },
            "it imports ordinal 42 of ndis.sys; only imports by name can be resolved: link it \
             with an import library that has names",
        );
    }
    refused(
        X64,
        |pe| pe.directories[DELAY_IMPORT] = (RDATA + 0x700, 64),
        "it imports a module by delay-loading, which the kernel does not do; link it without \
         /DELAYLOAD",
    );
    refused(
        X64,
        |pe| {
            let mut table = Blob::at(RDATA + 0x600);
            table.u32(1);
            table.u32(RDATA + 0x608);
            table.bytes(b"Ndis.sys\0");
            pe.section(".rdata").contents.resize(0x600, 0);
            pe.section(".rdata").contents.extend(table.data);
            pe.directories[DEBUG] = (0, 0);
            pe.directories[DELAY_IMPORT] = (RDATA + 0x600, 64);
        },
        "it imports ndis.sys by delay-loading, which the kernel does not do; link it without \
         /DELAYLOAD",
    );
}

#[test]
fn tables() {
    let bad = |table: &str, rva: u32, problem: &str| {
        format!("the {table} table is damaged at RVA 0x{rva:x}: {problem}; link the driver again")
    };
    let outside = "it lies outside the image";
    for (index, table) in [
        (EXPORT, "export"),
        (IMPORT, "import"),
        (RESOURCE, "resource"),
        (UNWIND, "unwind"),
        (RELOCATION, "relocation"),
        (DEBUG, "debug"),
    ] {
        for rva in [END, 0xFFFF_FFF0] {
            let message = bad(table, rva, outside);
            // An import table is as long as its terminator says, so it ends rather than lies
            // outside when it begins just behind the image.
            let message = match (index, rva) {
                (IMPORT, END) => bad(table, rva, "it has no end"),
                _ => message,
            };
            refused(X64, |pe| pe.directories[index] = (rva, 40), &message);
        }
    }
    refused(
        X64,
        |pe| pe.section(".reloc").contents[4] = 9,
        &bad("relocation", RELOC, "a block has an impossible size"),
    );
    refused(
        X86,
        |pe| pe.section(".reloc").contents[1] = 0x90,
        &bad("relocation", 0x9010, "it changes bytes outside the image"),
    );
    let kind = |kind| {
        format!(
            "the relocation at RVA 0x{POINTER:x} is of type {kind}, which this architecture does \
             not use; link the driver again"
        )
    };
    refused(X64, |pe| pe.section(".reloc").contents[9] = 0x30, &kind(3));
    refused(X86, |pe| pe.section(".reloc").contents[9] = 0xA0, &kind(10));
    refused(X86, |pe| pe.section(".reloc").contents[9] = 0x40, &kind(4));
    refused(
        X64,
        |pe| pe.section(".rsrc").contents[0x5E] = b'?',
        &bad(
            "resource",
            RSRC,
            "the version is not a VS_VERSIONINFO block",
        ),
    );
    refused(
        X64,
        |pe| pe.section(".rsrc").contents[0x17] = 0,
        &bad("resource", RSRC, "its tree is broken"),
    );
}

#[test]
fn endless_tables_end() {
    // 2000 descriptors that share one list of 1000 functions: two million imports in 50 KB.
    let mut pe = driver(X86);
    pe.checksum = false;
    let mut table = Blob::at(END);
    let (first, _) = table.imports(&[("a.sys", &[Function::Name("F")])], 4);
    let descriptor = table.data[(first - END) as usize..][..20].to_vec();
    let thunk = table.data
        [(u32::from_le_bytes(descriptor[..4].try_into().unwrap()) - END) as usize..][..4]
        .to_vec();
    let list = table.rva();
    (0..1000).for_each(|_| table.bytes(&thunk));
    table.u32(0);
    let start = table.rva();
    for _ in 0..2000 {
        table.u32(list);
        table.bytes(&descriptor[4..16]);
        table.u32(list);
    }
    table.zeros(20);
    pe.directories[IMPORT] = (start, 40_020);
    pe.directories[DEBUG] = (0, 0);
    pe.size = 0x1_8000;
    pe.sections.push(Section {
        name: ".idata",
        rva: END,
        size: table.data.len() as u32,
        flags: READ,
        contents: table.data,
    });
    let error = parse("a.sys", &pe.build()).unwrap_err();
    assert_eq!(
        error,
        LoadError::BadTable {
            table: "import",
            rva: start,
            problem: "it has more than 65536 functions"
        }
    );
}
