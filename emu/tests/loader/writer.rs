//! A tiny PE writer: drivers made to measure, whole or broken on purpose.

/// `Machine` numbers ("PE Format", Machine Types).
pub const X86: u16 = 0x014c;
pub const X64: u16 = 0x8664;
pub const ARM64: u16 = 0xaa64;

/// Data directory indexes ("PE Format", Optional Header Data Directories).
pub const EXPORT: usize = 0;
pub const IMPORT: usize = 1;
pub const RESOURCE: usize = 2;
pub const UNWIND: usize = 3;
pub const RELOCATION: usize = 5;
pub const DEBUG: usize = 6;
pub const DELAY_IMPORT: usize = 13;

/// Section flags.
pub const CODE: u32 = 0x6000_0020;
pub const READ: u32 = 0x4000_0040;
pub const READ_WRITE: u32 = 0xC000_0040;
pub const DISCARDABLE: u32 = 0x0200_0000;
pub const NOT_PAGED: u32 = 0x0800_0000;

/// Where the parts of [`driver`] are.
pub const TEXT: u32 = 0x1000;
pub const RDATA: u32 = 0x2000;
pub const DATA: u32 = 0x3000;
pub const PAGE: u32 = 0x4000;
pub const INIT: u32 = 0x5000;
pub const RSRC: u32 = 0x6000;
pub const RELOC: u32 = 0x7000;
pub const END: u32 = 0x8000;

/// Where `.data` holds an absolute address: the one of `PAGE`.
pub const POINTER: u32 = DATA + 0x10;

const FILE_ALIGNMENT: usize = 0x200;
const HEADERS: u32 = 0x400;
const PE_OFFSET: usize = 0x80;

/// A PE image in parts.
#[derive(Clone)]
pub struct Pe {
    pub machine: u16,
    pub magic: u16,
    pub characteristics: u16,
    pub subsystem: u16,
    pub timestamp: u32,
    pub base: u64,
    pub entry: u32,
    pub alignment: u32,
    pub size: u32,
    pub checksum: bool,
    pub directories: [(u32, u32); 16],
    pub sections: Vec<Section>,
    /// The record that the debug directory points to, appended to the file.
    pub debug_record: Vec<u8>,
}

#[derive(Clone)]
pub struct Section {
    pub name: &'static str,
    pub rva: u32,
    pub size: u32,
    pub flags: u32,
    pub contents: Vec<u8>,
}

impl Pe {
    pub fn wide(&self) -> bool {
        self.machine != X86
    }

    pub fn pointer_size(&self) -> usize {
        if self.wide() { 8 } else { 4 }
    }

    pub fn section(&mut self, name: &str) -> &mut Section {
        let mut sections = self.sections.iter_mut();
        sections.find(|section| section.name == name).unwrap()
    }

    /// The bytes of the file.
    pub fn build(&self) -> Vec<u8> {
        let optional_size = if self.wide() { 112 } else { 96 } + 16 * 8;
        let mut file = Blob::at(0);
        file.bytes(b"MZ");
        file.pad_to(0x3C);
        file.u32(PE_OFFSET as u32);
        file.pad_to(PE_OFFSET);
        file.bytes(b"PE\0\0");
        file.u16(self.machine);
        file.u16(self.sections.len() as u16);
        file.u32(self.timestamp);
        file.zeros(8);
        file.u16(optional_size);
        file.u16(self.characteristics);

        let optional = file.len();
        file.u16(self.magic);
        file.zeros(14);
        file.u32(self.entry);
        file.u32(TEXT); // BaseOfCode
        if self.wide() {
            file.bytes(&self.base.to_le_bytes());
        } else {
            file.u32(DATA); // BaseOfData
            file.u32(self.base as u32);
        }
        file.u32(self.alignment);
        file.u32(FILE_ALIGNMENT as u32);
        file.zeros(16);
        file.u32(self.size);
        file.u32(HEADERS);
        let checksum = file.len();
        assert_eq!(checksum - optional, 64);
        file.u32(0);
        file.u16(self.subsystem);
        file.zeros(2 + 4 * self.pointer_size() + 4);
        file.u32(16);
        for (rva, len) in self.directories {
            file.u32(rva);
            file.u32(len);
        }
        assert_eq!(file.len() - optional, usize::from(optional_size));

        let mut place = HEADERS as usize;
        for section in &self.sections {
            let length = section.contents.len().next_multiple_of(FILE_ALIGNMENT);
            let mut name = section.name.as_bytes().to_vec();
            name.resize(8, 0);
            file.bytes(&name);
            file.u32(section.size);
            file.u32(section.rva);
            file.u32(length as u32);
            file.u32(place as u32);
            file.zeros(12);
            file.u32(section.flags);
            place += length;
        }
        file.pad_to(HEADERS as usize);
        for section in &self.sections {
            file.bytes(&section.contents);
            file.pad_to(file.len().next_multiple_of(FILE_ALIGNMENT));
        }
        assert_eq!(file.len(), place);
        file.bytes(&self.debug_record);
        if self.checksum {
            let sum = checksum_of(&file.data);
            file.data[checksum..checksum + 4].copy_from_slice(&sum.to_le_bytes());
        }
        file.data
    }

    /// Where [`Pe::build`] puts the record of the debug directory.
    pub fn debug_record_offset(&self) -> u32 {
        let contents = |section: &Section| section.contents.len().next_multiple_of(FILE_ALIGNMENT);
        HEADERS + self.sections.iter().map(contents).sum::<usize>() as u32
    }
}

/// The checksum of a file whose checksum field is zero, word by word.
fn checksum_of(file: &[u8]) -> u32 {
    let mut sum = 0u32;
    for pair in file.chunks(2) {
        sum += u32::from(pair[0]) + 256 * u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum + file.len() as u32
}

/// A whole driver with one of everything.
pub fn driver(machine: u16) -> Pe {
    let base = match machine {
        X86 => 0x0001_0000,
        _ => 0x0000_0001_4000_0000,
    };
    let mut pe = Pe {
        machine,
        magic: if machine == X86 { 0x10b } else { 0x20b },
        characteristics: 0x0022,
        subsystem: 1,
        timestamp: 0x45AC_AB21,
        base,
        entry: INIT + 4,
        alignment: 0x1000,
        size: END,
        checksum: true,
        directories: [(0, 0); 16],
        sections: Vec::new(),
        debug_record: Vec::new(),
    };
    let imports: [(&str, &[Function]); 2] = [
        (
            "NTOSKRNL.exe",
            &[
                Function::Name("ExAllocatePoolWithTag"),
                Function::Name("IofCompleteRequest"),
            ],
        ),
        ("hal.dll", &[Function::Name("KfRaiseIrql")]),
    ];
    let mut rdata = Blob::at(RDATA);
    pe.directories[IMPORT] = rdata.imports(&imports, pe.pointer_size());
    pe.directories[EXPORT] = rdata.exports(&[("NatDispatch", PAGE), ("NatClose", TEXT + 2)]);
    let mut text = Blob::at(TEXT);
    text.zeros(0x20);
    if machine != X86 {
        let start = rdata.rva();
        rdata.u32(TEXT);
        rdata.u32(TEXT + 0x20);
        rdata.u32(RDATA);
        pe.directories[UNWIND] = (start, 12);
    }
    let debug = rdata.rva();
    pe.debug_record = b"RSDS".to_vec();
    pe.debug_record.extend(0..16);
    pe.debug_record.extend(7u32.to_le_bytes());
    pe.debug_record.extend(b"D:\\nt\\drivers\\Sample.pdb\0");
    pe.directories[DEBUG] = (debug, 28);
    rdata.zeros(28);

    let mut data = Blob::at(DATA);
    data.zeros((POINTER - DATA) as usize);
    data.bytes(&(base + u64::from(PAGE)).to_le_bytes()[..pe.pointer_size()]);
    let mut resources = Blob::at(RSRC);
    pe.directories[RESOURCE] = resources.version(&[
        ("FileDescription", "Made to measure"),
        ("OriginalFilename", "sample.sys"),
    ]);
    let mut relocations = Blob::at(RELOC);
    let kind = if machine == X86 { 3 } else { 10 };
    pe.directories[RELOCATION] = relocations.relocations(&[(POINTER, kind)]);

    let section = |name, flags, blob: Blob, size| Section {
        name,
        rva: blob.start,
        size,
        flags,
        contents: blob.data,
    };
    let code = |rva| {
        let mut blob = Blob::at(rva);
        blob.zeros(0x10);
        blob
    };
    pe.sections = vec![
        section(".text", CODE, text, 0x20),
        section(".rdata", READ, rdata, 0x800),
        section(".data", READ_WRITE, data, 0x300),
        section("PAGE", CODE, code(PAGE), 0x10),
        section("INIT", CODE, code(INIT), 0x10),
        section(".rsrc", READ, resources, 0x400),
        section(".reloc", READ | DISCARDABLE, relocations, 0x100),
    ];
    // The debug directory points into the file, whose layout is known only now.
    let record = pe.debug_record_offset();
    let length = pe.debug_record.len() as u32;
    let entry = (debug - RDATA) as usize;
    let contents = &mut pe.section(".rdata").contents;
    contents[entry + 12..entry + 16].copy_from_slice(&2u32.to_le_bytes());
    contents[entry + 16..entry + 20].copy_from_slice(&length.to_le_bytes());
    contents[entry + 24..entry + 28].copy_from_slice(&record.to_le_bytes());
    pe
}

/// What an import asks for.
pub enum Function {
    Name(&'static str),
    Ordinal(u16),
}

/// Bytes that know the address of their start.
pub struct Blob {
    pub start: u32,
    pub data: Vec<u8>,
}

impl Blob {
    pub fn at(start: u32) -> Blob {
        let data = Vec::new();
        Blob { start, data }
    }

    fn len(&self) -> usize {
        self.data.len()
    }

    pub fn rva(&self) -> u32 {
        self.start + self.data.len() as u32
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
    }

    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub fn zeros(&mut self, count: usize) {
        self.data.resize(self.data.len() + count, 0);
    }

    fn pad_to(&mut self, length: usize) {
        self.data.resize(length, 0);
    }

    fn text(&mut self, text: &str) -> u32 {
        let rva = self.rva();
        self.bytes(text.as_bytes());
        self.zeros(1);
        rva
    }

    /// An import table; returns its directory entry.
    pub fn imports(&mut self, modules: &[(&str, &[Function])], pointer: usize) -> (u32, u32) {
        let mut descriptors = Vec::new();
        for (module, functions) in modules {
            let name = self.text(module);
            let mut thunks: Vec<u64> = Vec::new();
            for function in *functions {
                thunks.push(match function {
                    Function::Name(name) => {
                        let rva = self.rva();
                        self.u16(0); // hint
                        self.text(name);
                        rva.into()
                    }
                    Function::Ordinal(ordinal) => 1 << (8 * pointer - 1) | u64::from(*ordinal),
                });
            }
            thunks.push(0);
            self.pad_to(self.len().next_multiple_of(8));
            let [lookup, slots] = [(); 2].map(|()| {
                let rva = self.rva();
                for thunk in &thunks {
                    self.bytes(&thunk.to_le_bytes()[..pointer]);
                }
                rva
            });
            descriptors.push([lookup, 0, 0, name, slots]);
        }
        descriptors.push([0; 5]);
        let start = self.rva();
        for value in descriptors.into_iter().flatten() {
            self.u32(value);
        }
        (start, self.rva() - start)
    }

    /// An export table with names in the given order; returns its directory entry.
    pub fn exports(&mut self, functions: &[(&str, u32)]) -> (u32, u32) {
        let count = functions.len() as u32;
        let start = self.rva();
        let addresses = start + 40;
        let names = addresses + 4 * count;
        let ordinals = names + 4 * count;
        let mut name = ordinals + 2 * count;
        for value in [0, 0, 0, 0, 1, count, count, addresses, names, ordinals] {
            self.u32(value);
        }
        functions.iter().for_each(|(_, rva)| self.u32(*rva));
        for (text, _) in functions {
            self.u32(name);
            name += text.len() as u32 + 1;
        }
        (0..count as u16).for_each(|ordinal| self.u16(ordinal));
        for (text, _) in functions {
            self.text(text);
        }
        let end = self.rva();
        self.pad_to(self.len().next_multiple_of(4));
        (start, end - start)
    }

    /// A relocation table, one block for each entry; returns its directory entry.
    pub fn relocations(&mut self, places: &[(u32, u16)]) -> (u32, u32) {
        let start = self.rva();
        for (rva, kind) in places {
            self.u32(rva & !0xFFF);
            self.u32(12);
            self.u16(kind << 12 | (rva & 0xFFF) as u16);
            self.u16(0);
        }
        (start, self.rva() - start)
    }

    /// A resource tree with one version in it; returns its directory entry.
    pub fn version(&mut self, strings: &[(&str, &str)]) -> (u32, u32) {
        let start = self.rva();
        // Three levels of directories with one entry each, then the data entry.
        for (id, next) in [(16, 0x8000_0018), (1, 0x8000_0030), (0x409, 0x48)] {
            self.zeros(14);
            self.u16(1);
            self.u32(id);
            self.u32(next);
        }
        let block = version_block(strings);
        self.u32(start + 0x58);
        self.u32(block.len() as u32);
        self.zeros(8);
        self.bytes(&block);
        (start, self.rva() - start)
    }
}

/// A `VS_VERSIONINFO` block for file version 5.2.3790.1830 and product version 5.2.3790.0.
fn version_block(strings: &[(&str, &str)]) -> Vec<u8> {
    let mut fixed = Vec::new();
    for value in [
        0xFEEF_04BD,
        0x0001_0000,
        0x0005_0002,
        3790 << 16 | 1830,
        0x0005_0002,
        3790 << 16,
        0x3F, // flags mask
        0x02, // prerelease
        0x0004_0004,
        3,
        0,
        0,
        0,
    ] {
        fixed.extend(u32::to_le_bytes(value));
    }
    let strings: Vec<Vec<u8>> = strings
        .iter()
        .map(|(key, value)| {
            let units: Vec<u16> = value.encode_utf16().chain([0]).collect();
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            node(key, Some(units.len() as u16), &bytes, &[])
        })
        .collect();
    let table = node("040904b0", None, &[], &strings);
    let info = node("StringFileInfo", None, &[], &[table]);
    let translation = node("Translation", None, &[9, 4, 0xb0, 4], &[]);
    let variables = node("VarFileInfo", None, &[], &[translation]);
    node("VS_VERSION_INFO", None, &fixed, &[info, variables])
}

/// A node of a version block. Text values give their length in UTF-16 units.
fn node(key: &str, text_units: Option<u16>, value: &[u8], children: &[Vec<u8>]) -> Vec<u8> {
    let mut node = vec![0; 2];
    node.extend(text_units.unwrap_or(value.len() as u16).to_le_bytes());
    node.extend(u16::from(text_units.is_some() || value.is_empty()).to_le_bytes());
    node.extend(key.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    node.resize(node.len().next_multiple_of(4), 0);
    node.extend(value);
    for child in children {
        node.resize(node.len().next_multiple_of(4), 0);
        node.extend(child);
    }
    let length = node.len() as u16;
    node[..2].copy_from_slice(&length.to_le_bytes());
    node
}
