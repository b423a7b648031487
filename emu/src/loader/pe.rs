//! The headers of a PE image, and the image as it lies in memory.
//!
//! The `object` crate has the structures; the checks are ours, because a loader must refuse what a
//! viewer may show. Every table is then read from the mapped image by RVA, as the NT loader does.

use isa::Arch;
use object::LittleEndian as LE;
use object::pe::{self, ImageFileHeader, ImageNtHeaders32, ImageNtHeaders64, ImageSectionHeader};
use object::read::ReadRef;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader};

use super::{Image, LoadError, PAGE, PdbId, Section};
use super::{exports, imports, relocations, resources};

/// The largest image, in bytes. Larger than any driver; it bounds what a false `SizeOfImage` can
/// make us allocate.
const MOST_SIZE: u32 = 64 << 20;

/// The longest name, in bytes, of a function, module or file in an image: more than the 4095 to
/// which Microsoft's linker truncates.
const MOST_NAME: usize = 4096;

/// Bytes from the start of the PE header to the optional header.
const OPTIONAL_HEADER: u64 = 4 + size_of::<ImageFileHeader>() as u64;

/// Bytes from the start of the optional header to its checksum, in PE32 and PE32+ alike.
const CHECKSUM: u64 = 64;

/// Parses the bytes of a driver file and lays the image out at its preferred base. `name` is the
/// file's name; the folder is dropped and the rest lower-cased.
///
/// # Errors
/// Everything that [`LoadError`] lists about files. A truncated file is never taken for a whole
/// one.
///
/// ```
/// use emu::loader::{LoadError, parse};
/// let refused = parse("notes.txt", b"Dear diary").unwrap_err();
/// assert!(matches!(refused, LoadError::NotPe { .. }));
/// ```
pub fn parse(name: &str, file: &[u8]) -> Result<Image, LoadError> {
    let header = header_offset(file)?;
    let arch = machine(file, header)?;
    match arch.pointer_size() {
        4 => parse_as::<ImageNtHeaders32>(name, file, header, arch),
        _ => parse_as::<ImageNtHeaders64>(name, file, header, arch),
    }
}

/// The file offset of the PE header.
fn header_offset(file: &[u8]) -> Result<u64, LoadError> {
    if !file.starts_with(b"MZ") {
        return Err(LoadError::NotPe {
            what: "it does not begin with 'MZ'",
        });
    }
    let dos = file.read_at::<pe::ImageDosHeader>(0).map_err(|()| {
        truncated(
            "the DOS header",
            size_of::<pe::ImageDosHeader>() as u64,
            file,
        )
    })?;
    let offset = dos.nt_headers_offset();
    let signature = file
        .read_bytes_at(u64::from(offset), 4)
        .map_err(|()| truncated("the PE header", u64::from(offset) + 4, file))?;
    if signature != b"PE\0\0" {
        return Err(LoadError::NotPe {
            what: "it has no PE header (a DOS, Windows 3 or OS/2 program?)",
        });
    }
    // NT refuses headers that are not aligned, and the checksum counts on it.
    if !offset.is_multiple_of(4) {
        return Err(LoadError::BadHeader {
            field: "e_lfanew",
            value: offset.into(),
        });
    }
    Ok(offset.into())
}

/// The architecture that a file is built for.
fn machine(file: &[u8], header: u64) -> Result<Arch, LoadError> {
    let file_header = file
        .read_at::<ImageFileHeader>(header + 4)
        .map_err(|()| truncated("the file header", header + OPTIONAL_HEADER, file))?;
    let found = file_header.machine.get(LE).0;
    Arch::from_machine(found).ok_or(LoadError::WrongMachine {
        found,
        wanted: None,
    })
}

fn parse_as<Pe: ImageNtHeaders>(
    name: &str,
    file: &[u8],
    header: u64,
    arch: Arch,
) -> Result<Image, LoadError> {
    let mut offset = header;
    let (headers, directories) =
        Pe::parse(file, &mut offset).map_err(|_| optional_header_error::<Pe>(file, header))?;
    let file_header = headers.file_header();
    let optional = headers.optional_header();
    let section_count = file_header.number_of_sections.get(LE);
    let section_table: &[ImageSectionHeader] = file
        .read_slice_at(offset, section_count.into())
        .map_err(|()| {
            let length = u64::from(section_count) * size_of::<ImageSectionHeader>() as u64;
            truncated("the section table", offset + length, file)
        })?;

    if optional.subsystem() != pe::IMAGE_SUBSYSTEM_NATIVE {
        return Err(LoadError::NotNative {
            subsystem: optional.subsystem().0,
        });
    }
    check_layout(optional, arch)?;
    let (data, sections) = map(file, optional, section_table)?;
    check_checksum(file, header, optional.check_sum())?;
    check_entry(optional.address_of_entry_point(), &sections)?;

    let directory = |index| Directory::of(directories.get(index));
    if let Some(delayed) = directory(pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT) {
        return Err(LoadError::DelayImports {
            module: delayed_module(&data, delayed),
        });
    }
    let imports = match directory(pe::IMAGE_DIRECTORY_ENTRY_IMPORT) {
        Some(table) => imports::read::<Pe>(&data, table.rva)?,
        None => Vec::new(),
    };
    let exports = match directory(pe::IMAGE_DIRECTORY_ENTRY_EXPORT) {
        Some(table) => exports::read(&data, table)?,
        None => Vec::new(),
    };
    let relocations = match directory(pe::IMAGE_DIRECTORY_ENTRY_BASERELOC) {
        Some(table) => relocations::read(&data, table, arch)?,
        None => Vec::new(),
    };
    let version = match directory(pe::IMAGE_DIRECTORY_ENTRY_RESOURCE) {
        Some(table) => resources::version(&data, table)?,
        None => None,
    };
    let pdata = match directory(pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION) {
        Some(table) if arch != Arch::X86 => Some(unwind_table(&data, table)?),
        _ => None,
    };
    let pdb = match directory(pe::IMAGE_DIRECTORY_ENTRY_DEBUG) {
        Some(table) => pdb_reference(file, &data, table)?,
        None => None,
    };
    let (pdb_name, pdb_id) = pdb.unzip();

    Ok(Image {
        name: file_name(name).to_ascii_lowercase(),
        arch,
        preferred_base: optional.image_base(),
        base: optional.image_base(),
        size: optional.size_of_image().into(),
        entry_rva: optional.address_of_entry_point(),
        timestamp: file_header.time_date_stamp.get(LE),
        checksum: optional.check_sum(),
        sections,
        imports,
        exports,
        version,
        data,
        pdata,
        hash: twox_hash::XxHash3_64::oneshot(file),
        pdb_name,
        pdb_id,
        relocations,
        fixed: file_header
            .characteristics
            .get(LE)
            .contains(pe::IMAGE_FILE_RELOCS_STRIPPED),
        symbols: None,
    })
}

/// Why the optional header could not be read: `object` says only that it could not.
fn optional_header_error<Pe: ImageNtHeaders>(file: &[u8], header: u64) -> LoadError {
    let Ok(file_header) = file.read_at::<ImageFileHeader>(header + 4) else {
        return truncated("the file header", header + OPTIONAL_HEADER, file);
    };
    let start = header + OPTIONAL_HEADER;
    let length = u64::from(file_header.size_of_optional_header.get(LE));
    if length < size_of::<Pe::ImageOptionalHeader>() as u64 {
        return LoadError::BadHeader {
            field: "SizeOfOptionalHeader",
            value: length,
        };
    }
    match file.read_at::<Pe>(header) {
        Ok(headers) if !headers.is_valid_optional_magic() => LoadError::BadHeader {
            field: "Magic",
            value: headers.optional_header().magic().into(),
        },
        Ok(headers) if start + length <= file.len() as u64 => LoadError::BadHeader {
            field: "NumberOfRvaAndSizes",
            value: headers.optional_header().number_of_rva_and_sizes().into(),
        },
        _ => truncated("the optional header", start + length, file),
    }
}

/// Checks the sizes, alignments and the base that the rest of the work counts on.
fn check_layout(optional: &impl ImageOptionalHeader, arch: Arch) -> Result<(), LoadError> {
    let bad = |field, value| Err(LoadError::BadHeader { field, value });
    let size = optional.size_of_image();
    if size == 0 || size > MOST_SIZE {
        return bad("SizeOfImage", size.into());
    }
    if optional.size_of_headers() > size {
        return bad("SizeOfHeaders", optional.size_of_headers().into());
    }
    if !optional.section_alignment().is_power_of_two() {
        return bad("SectionAlignment", optional.section_alignment().into());
    }
    if !fits(arch, optional.image_base(), mapped_size(size) as u64) {
        return bad("ImageBase", optional.image_base());
    }
    Ok(())
}

/// Can an image of `size` bytes lie at `base`?
pub(super) fn fits(arch: Arch, base: u64, size: u64) -> bool {
    let highest = match arch.pointer_size() {
        4 => u64::from(u32::MAX),
        _ => u64::MAX,
    };
    // The address after the image must exist too, so that `base + size` never overflows.
    base.is_multiple_of(PAGE) && base.checked_add(size).is_some_and(|end| end <= highest)
}

fn mapped_size(size_of_image: u32) -> usize {
    u64::from(size_of_image).next_multiple_of(PAGE) as usize
}

/// Lays headers and sections out at their RVAs.
fn map(
    file: &[u8],
    optional: &impl ImageOptionalHeader,
    table: &[ImageSectionHeader],
) -> Result<(Vec<u8>, Vec<Section>), LoadError> {
    let mut data = vec![0; mapped_size(optional.size_of_image())];
    let header_size = optional.size_of_headers();
    let headers = file
        .read_bytes_at(0, header_size.into())
        .map_err(|()| truncated("the headers", header_size.into(), file))?;
    data[..headers.len()].copy_from_slice(headers);

    let mut sections = Vec::with_capacity(table.len());
    let mut free = header_size;
    for header in table {
        let section = section(header);
        let bad = |problem| LoadError::BadSection {
            name: section.name.clone(),
            problem,
        };
        if !section.rva.is_multiple_of(optional.section_alignment()) {
            return Err(bad("is not aligned as the header says"));
        }
        if section.rva < free {
            return Err(bad("overlaps what is before it"));
        }
        free = section
            .rva
            .checked_add(section.size)
            .filter(|end| *end <= optional.size_of_image())
            .ok_or_else(|| bad("reaches beyond the end of the image"))?;
        let start = u64::from(header.pointer_to_raw_data.get(LE));
        let length = u64::from(header.size_of_raw_data.get(LE));
        // A section without contents may have any pointer.
        if length != 0 {
            let contents = file.read_bytes_at(start, length).map_err(|()| {
                truncated(&format!("section '{}'", section.name), start + length, file)
            })?;
            let kept = contents.len().min(section.size as usize);
            let place = section.rva as usize;
            data[place..place + kept].copy_from_slice(&contents[..kept]);
        }
        sections.push(section);
    }
    Ok((data, sections))
}

/// One section's facts from its header.
fn section(header: &ImageSectionHeader) -> Section {
    let flags = header.characteristics.get(LE);
    let name = text(header.raw_name());
    let size = match header.virtual_size.get(LE) {
        // Some old linkers leave it to the contents.
        0 => header.size_of_raw_data.get(LE),
        size => size,
    };
    Section {
        rva: header.virtual_address.get(LE),
        size,
        read: flags.contains(pe::IMAGE_SCN_MEM_READ),
        write: flags.contains(pe::IMAGE_SCN_MEM_WRITE),
        execute: flags.contains(pe::IMAGE_SCN_MEM_EXECUTE),
        pageable: name.starts_with("PAGE") && !flags.contains(pe::IMAGE_SCN_MEM_NOT_PAGED),
        discardable: name.starts_with("INIT") || flags.contains(pe::IMAGE_SCN_MEM_DISCARDABLE),
        name,
    }
}

/// Checks the header's checksum, which NT does for every driver; 0 means that there is none. The
/// sum is that of `CheckSumMappedFile`: 16-bit words with end-around carry, plus the length.
fn check_checksum(file: &[u8], header: u64, stored: u32) -> Result<(), LoadError> {
    if stored == 0 {
        return Ok(());
    }
    let field = (header + OPTIONAL_HEADER + CHECKSUM) as usize;
    let (before, rest) = file.split_at(field.min(file.len()));
    let after = rest.get(4..).unwrap_or_default();
    let words = before.chunks(2).chain(after.chunks(2));
    let mut sum: u64 = words
        .map(|word| u64::from(word[0]) | u64::from(*word.get(1).unwrap_or(&0)) << 8)
        .sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    let computed = (sum as u32).wrapping_add(file.len() as u32);
    if stored == computed {
        return Ok(());
    }
    Err(LoadError::Checksum { stored, computed })
}

/// Checks that the entry point is code.
fn check_entry(entry: u32, sections: &[Section]) -> Result<(), LoadError> {
    let code = sections
        .iter()
        .any(|section| section.execute && entry.wrapping_sub(section.rva) < section.size);
    if code {
        return Ok(());
    }
    Err(LoadError::BadHeader {
        field: "AddressOfEntryPoint",
        value: entry.into(),
    })
}

/// Where the unwind entries are, once they are known to be inside the image.
fn unwind_table(data: &[u8], table: Directory) -> Result<(u32, u32), LoadError> {
    match table.bytes(data) {
        Some(_) => Ok((table.rva, table.len)),
        None => Err(LoadError::BadTable {
            table: "unwind",
            rva: table.rva,
            problem: "it lies outside the image",
        }),
    }
}

/// The name of the first module that a delay-load table names, as far as it can be read.
fn delayed_module(data: &[u8], table: Directory) -> String {
    let name = data
        .read_at::<pe::ImageDelayloadDescriptor>(table.rva.into())
        .ok()
        .map(|descriptor| u64::from(descriptor.dll_name_rva.get(LE)))
        .filter(|start| *start != 0)
        .and_then(|start| data.read_bytes_at_until(start..data.len() as u64, 0).ok());
    match name {
        Some(name) => text(name).to_ascii_lowercase(),
        None => "a module".to_string(),
    }
}

/// Finds the PDB's name and identity in the debug directory: a CodeView record of type `RSDS`.
/// The directory is in the image, the record may be in the file only.
fn pdb_reference(
    file: &[u8],
    data: &[u8],
    table: Directory,
) -> Result<Option<(String, PdbId)>, LoadError> {
    let count = table.len as usize / size_of::<pe::ImageDebugDirectory>();
    let entries: &[pe::ImageDebugDirectory] =
        data.read_slice_at(table.rva.into(), count)
            .map_err(|()| LoadError::BadTable {
                table: "debug",
                rva: table.rva,
                problem: "it lies outside the image",
            })?;
    for entry in entries {
        if entry.typ.get(LE) != pe::IMAGE_DEBUG_TYPE_CODEVIEW {
            continue;
        }
        let start = u64::from(entry.pointer_to_raw_data.get(LE));
        let length = u64::from(entry.size_of_data.get(LE));
        let record = file
            .read_bytes_at(start, length)
            .map_err(|()| truncated("the debug record", start + length, file))?;
        let Some((b"RSDS", record)) = record.split_first_chunk::<4>() else {
            continue;
        };
        let parts = record
            .split_first_chunk::<16>()
            .and_then(|(guid, rest)| Some((*guid, rest.split_first_chunk::<4>()?)));
        let Some((guid, (age, path))) = parts else {
            continue;
        };
        let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
        let id = PdbId {
            guid,
            age: u32::from_le_bytes(*age),
        };
        return Ok(Some((file_name(&text(path)).to_string(), id)));
    }
    Ok(None)
}

/// Where a table is: an entry of the optional header's data directories.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directory {
    /// Its start, relative to the base.
    pub rva: u32,
    /// Its length in bytes.
    pub len: u32,
}

impl Directory {
    fn of(entry: Option<&pe::ImageDataDirectory>) -> Option<Directory> {
        entry.map(|entry| Directory {
            rva: entry.virtual_address.get(LE),
            len: entry.size.get(LE),
        })
    }

    /// The table in a mapped image; `None` if it is not inside.
    pub fn bytes(self, data: &[u8]) -> Option<&[u8]> {
        let start = self.rva as usize;
        data.get(start..start.checked_add(self.len as usize)?)
    }

    /// Is `rva` inside the table?
    pub fn contains(self, rva: u32) -> bool {
        rva.wrapping_sub(self.rva) < self.len
    }
}

/// A name from an image as text: without what is not UTF-8, and cut at [`MOST_NAME`] so that
/// damaged tables cannot multiply one long run of bytes.
pub(super) fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(MOST_NAME)]).into_owned()
}

/// The last part of a Windows or Unix path.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn truncated(what: &str, end: u64, file: &[u8]) -> LoadError {
    LoadError::Truncated {
        what: what.to_string(),
        end,
        len: file.len() as u64,
    }
}
