//! Reads a PDB into [`Symbols`].
//!
//! The streams and records are decoded by the reader under `pdb-addr2line`; its own lookup borrows
//! from the streams, so here everything is taken out once, in one pass over each module.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use isa::Arch;
use pdb_addr2line::pdb::{
    self, AddressMap, FallibleIterator, FileIndex, IdData, IdIndex, IdInformation,
    InlineSiteSymbol, Inlinee, ItemFinder, LineProgram, ModuleInfo, PdbInternalSectionOffset,
    Source, SourceSlice, SourceView, StringTable, SymbolData, SymbolIndex, TypeData, TypeIndex,
    TypeInformation,
};

use super::symbols::{Function, Inlined, Line, Symbols};
use super::{Image, LoadError, PdbId};

/// How deep the name of an inlined function may be nested in scopes. Real ones have one scope,
/// already written out in full; damaged ones may go in circles.
const MOST_SCOPES: usize = 16;

/// Reads the symbols of an image from the PDB that it was linked with.
pub(super) fn read(bytes: &[u8], image: &Image) -> Result<Symbols, LoadError> {
    let wanted = image.pdb_id.ok_or(LoadError::NoPdbReference)?;
    // The record decoders index and slice without checks in places. A damaged PDB must be an
    // error like any other, and nothing outlives the panic.
    let outcome = catch_unwind(AssertUnwindSafe(|| read_streams(bytes, wanted, image)));
    match outcome {
        Ok(Ok(symbols)) => Ok(symbols),
        Ok(Err(Refused::Mismatch(found))) => Err(LoadError::PdbMismatch {
            image: wanted,
            pdb: found,
        }),
        Ok(Err(Refused::Broken(error))) => Err(LoadError::BadPdb {
            problem: error.to_string(),
        }),
        Err(_) => Err(LoadError::BadPdb {
            problem: "a record contradicts itself".to_string(),
        }),
    }
}

enum Refused {
    Mismatch(PdbId),
    Broken(pdb::Error),
}

impl From<pdb::Error> for Refused {
    fn from(error: pdb::Error) -> Self {
        Refused::Broken(error)
    }
}

fn read_streams(bytes: &[u8], wanted: PdbId, image: &Image) -> Result<Symbols, Refused> {
    let mut file = pdb::PDB::open(File(bytes))?;
    let debug = file.debug_information()?;
    let information = file.pdb_information()?;
    let found = PdbId {
        guid: information.guid.to_bytes_le(),
        // The age in the debug stream is the linker's, the other also counts later tools.
        age: debug.age().unwrap_or(information.age),
    };
    if found != wanted {
        return Err(Refused::Mismatch(found));
    }

    let types = file.type_information()?;
    let ids = file.id_information()?;
    let strings = optional(file.string_table())?;
    let map = file.address_map()?;
    let mut reader = Reader {
        names: Names::new(&types, &ids)?,
        texts: Texts::default(),
        strings: strings.as_ref(),
        map: &map,
        functions: Vec::new(),
        variables: Vec::new(),
    };
    let mut modules = debug.modules()?;
    while let Some(module) = modules.next()? {
        if let Some(info) = file.module_info(&module)? {
            reader.module(&info)?;
        }
    }
    let publics = reader.publics(&file.global_symbols()?)?;
    Ok(reader.finish(&publics, image))
}

/// A feature that the decoder does not know is something to do without; everything else is an
/// error.
fn optional<T>(result: Result<T, pdb::Error>) -> Result<Option<T>, pdb::Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(
            pdb::Error::UnimplementedFeature(_)
            | pdb::Error::UnimplementedSymbolKind(_)
            | pdb::Error::UnimplementedTypeKind(_)
            | pdb::Error::UnimplementedDebugSubsection(_)
            | pdb::Error::UnimplementedFileChecksumKind(_)
            | pdb::Error::UnknownBinaryAnnotation(_)
            | pdb::Error::UnknownRegister(_)
            | pdb::Error::StreamNameNotFound,
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What has been taken out of the streams so far.
struct Reader<'a, 's> {
    names: Names<'a>,
    texts: Texts,
    strings: Option<&'a StringTable<'s>>,
    map: &'a AddressMap<'s>,
    functions: Vec<Function>,
    variables: Vec<(u32, String)>,
}

impl Reader<'_, '_> {
    fn rva(&self, offset: PdbInternalSectionOffset) -> Option<u32> {
        offset.to_rva(self.map).map(|rva| rva.0)
    }

    /// Takes the functions, lines and inlined calls out of one module (one object file).
    fn module(&mut self, info: &ModuleInfo) -> Result<(), pdb::Error> {
        let Some(mut symbols) = optional(info.symbols())? else {
            return Ok(());
        };
        let program = optional(info.line_program())?;
        let mut inlinees = BTreeMap::new();
        if let Some(mut list) = optional(info.inlinees())? {
            while let Some(inlinee) = list.next()? {
                inlinees.insert(inlinee.index(), inlinee);
            }
        }
        // Inline sites are nested in the function and in one another by their end markers.
        let mut function: Option<(PdbInternalSectionOffset, Function)> = None;
        let mut open: Vec<SymbolIndex> = Vec::new();
        while let Some(symbol) = symbols.next()? {
            while open.last().is_some_and(|end| symbol.index() >= *end) {
                open.pop();
            }
            let Some(data) = optional(symbol.parse())? else {
                continue;
            };
            let (offset, len, name) = match data {
                SymbolData::Procedure(it) => (it.offset, it.len, it.name),
                SymbolData::Thunk(it) => (it.offset, it.len.into(), it.name),
                SymbolData::InlineSite(site) => {
                    if let (Some((start, function)), Some(program)) = (&mut function, &program) {
                        let lines = inlinees.get(&site.inlinee);
                        self.inlined(function, *start, open.len(), &site, lines, program)?;
                    }
                    open.push(site.end);
                    continue;
                }
                SymbolData::Data(it) => {
                    if let Some(rva) = self.rva(it.offset) {
                        self.variables.push((rva, it.name.to_string().into_owned()));
                    }
                    continue;
                }
                _ => continue,
            };
            self.functions.extend(function.take().map(|(_, done)| done));
            open.clear();
            // Code that the linker left out has no address.
            if let (Some(rva), 1..) = (self.rva(offset), len) {
                let begun = Function {
                    rva,
                    len,
                    name: self.texts.index(&name.to_string()),
                    lines: match &program {
                        Some(program) => self.lines(offset, len, program)?,
                        None => Vec::new(),
                    },
                    inlined: Vec::new(),
                };
                function = Some((offset, begun));
            }
        }
        self.functions.extend(function.map(|(_, done)| done));
        Ok(())
    }

    /// The lines of the function at `offset`, in ascending order of address.
    fn lines(
        &mut self,
        offset: PdbInternalSectionOffset,
        len: u32,
        program: &LineProgram,
    ) -> Result<Vec<Line>, pdb::Error> {
        let mut lines = Vec::new();
        let mut entries = program.lines_for_symbol(offset);
        while let Some(entry) = entries.next()? {
            let inside = entry.offset.offset.wrapping_sub(offset.offset) < len;
            if let (true, Some(rva)) = (inside, self.rva(entry.offset)) {
                lines.extend(self.line(rva, entry.file_index, entry.line_start, program)?);
            }
        }
        // Blocks of different files follow one another; of two lines for one address the later
        // is the compiler's last word.
        lines.sort_by_key(|line| line.rva);
        Ok(lines)
    }

    /// Adds the code of one inlined call to the function that begins at `start`.
    fn inlined(
        &mut self,
        function: &mut Function,
        start: PdbInternalSectionOffset,
        depth: usize,
        site: &InlineSiteSymbol,
        inlinee: Option<&Inlinee>,
        program: &LineProgram,
    ) -> Result<(), pdb::Error> {
        let Some(inlinee) = inlinee else {
            return Ok(());
        };
        let name = self.names.inlinee(site.inlinee)?;
        let name = self.texts.index(&name);
        let mut entries = inlinee.lines(start, site);
        while let Some(Some(entry)) = optional(entries.next())? {
            let (Some(len), Some(rva)) = (entry.length, self.rva(entry.offset)) else {
                continue;
            };
            if let Some(line) = self.line(rva, entry.file_index, entry.line_start, program)? {
                function.inlined.push(Inlined {
                    depth,
                    line,
                    len,
                    name,
                });
            }
        }
        Ok(())
    }

    /// A line, if its file has a name.
    fn line(
        &mut self,
        rva: u32,
        file: FileIndex,
        line: u32,
        program: &LineProgram,
    ) -> Result<Option<Line>, pdb::Error> {
        let Some(strings) = self.strings else {
            return Ok(None);
        };
        let Some(file) = optional(program.get_file_info(file))? else {
            return Ok(None);
        };
        let name = file.name.to_string_lossy(strings)?.replace('\\', "/");
        let file = self.texts.index(&name);
        Ok(Some(Line { rva, file, line }))
    }

    /// The public symbols: address, linker name, and whether it is code.
    fn publics(&self, table: &pdb::SymbolTable) -> Result<Vec<(u32, String, bool)>, pdb::Error> {
        let mut publics = Vec::new();
        let mut symbols = table.iter();
        while let Some(symbol) = symbols.next()? {
            let (offset, name, code) = match optional(symbol.parse())? {
                Some(SymbolData::Public(it)) => (it.offset, it.name, it.function || it.code),
                Some(SymbolData::Data(it)) => (it.offset, it.name, false),
                _ => continue,
            };
            if let Some(rva) = self.rva(offset) {
                publics.push((rva, name.to_string().into_owned(), code));
            }
        }
        publics.sort_unstable();
        Ok(publics)
    }

    /// Puts everything in order.
    fn finish(mut self, publics: &[(u32, String, bool)], image: &Image) -> Symbols {
        order(&mut self.functions);
        let assembly = self.assembly(publics, image);
        self.functions.extend(assembly);
        order(&mut self.functions);

        let mut addresses = BTreeMap::new();
        let mut add = |name: &str, rva| {
            if !addresses.contains_key(name) {
                addresses.insert(name.to_string(), rva);
            }
        };
        for function in &self.functions {
            add(&self.texts.list[function.name], function.rva);
        }
        for (rva, name, _) in publics {
            add(undecorated(name, image.arch), *rva);
            add(name, *rva);
        }
        self.variables.sort_unstable();
        for (rva, name) in &self.variables {
            add(name, *rva);
        }
        Symbols {
            functions: self.functions,
            texts: self.texts.list,
            addresses,
        }
    }

    /// Code without a procedure record: assembly. Its public symbol says where it begins, and it
    /// reaches to whatever code comes next in its section.
    fn assembly(&mut self, publics: &[(u32, String, bool)], image: &Image) -> Vec<Function> {
        let code = || publics.iter().filter(|(_, _, code)| *code);
        let mut starts: Vec<u32> = self.functions.iter().map(|it| it.rva).collect();
        starts.extend(code().map(|(rva, _, _)| *rva));
        starts.sort_unstable();

        let mut assembly = Vec::new();
        for (rva, name, _) in code() {
            let after = self.functions.partition_point(|known| known.rva <= *rva);
            let known = self.functions[..after].last();
            let section = image
                .sections
                .iter()
                .find(|section| rva.wrapping_sub(section.rva) < section.size);
            let (false, Some(section)) = (
                known.is_some_and(|known| rva - known.rva < known.len),
                section,
            ) else {
                continue;
            };
            let section_end = section.rva + section.size;
            let next = starts.get(starts.partition_point(|start| start <= rva));
            let end = next.map_or(section_end, |next| section_end.min(*next));
            assembly.push(Function {
                rva: *rva,
                len: end - rva,
                name: self.texts.index(undecorated(name, image.arch)),
                lines: Vec::new(),
                inlined: Vec::new(),
            });
        }
        assembly
    }
}

/// Sorts functions by address and their inlined calls by depth. Both sorts are stable: of
/// functions that the linker folded into one address the first stays, and the records of one call
/// keep the order of the file.
fn order(functions: &mut Vec<Function>) {
    functions.sort_by_key(|function| function.rva);
    functions.dedup_by_key(|function| function.rva);
    for function in functions {
        function.inlined.sort_by_key(|code| code.depth);
    }
}

/// Linker names on x86 carry the calling convention: `_name` for cdecl, `_name@8` for stdcall,
/// `@name@8` for fastcall (Microsoft, "Decorated Names"). Elsewhere they are plain.
fn undecorated(name: &str, arch: Arch) -> &str {
    let (Arch::X86, Some(plain)) = (arch, name.strip_prefix(['_', '@'])) else {
        return name;
    };
    match plain.rsplit_once('@') {
        Some((plain, size)) if size.parse::<u16>().is_ok() => plain,
        Some(_) => name,
        None => plain,
    }
}

/// Texts that occur often, kept once each.
#[derive(Default)]
struct Texts {
    list: Vec<String>,
    known: BTreeMap<String, usize>,
}

impl Texts {
    fn index(&mut self, text: &str) -> usize {
        if let Some(index) = self.known.get(text) {
            return *index;
        }
        let index = self.list.len();
        self.list.push(text.to_string());
        self.known.insert(text.to_string(), index);
        index
    }
}

/// The names of inlined functions, which procedure records do not have.
struct Names<'a> {
    types: ItemFinder<'a, TypeIndex>,
    ids: ItemFinder<'a, IdIndex>,
}

impl<'a> Names<'a> {
    fn new(
        types: &'a TypeInformation<'_>,
        ids: &'a IdInformation<'_>,
    ) -> Result<Names<'a>, pdb::Error> {
        let mut names = Names {
            types: types.finder(),
            ids: ids.finder(),
        };
        let mut items = types.iter();
        while items.next()?.is_some() {
            names.types.update(&items);
        }
        let mut items = ids.iter();
        while items.next()?.is_some() {
            names.ids.update(&items);
        }
        Ok(names)
    }

    /// The full name of an inlined function without arguments.
    fn inlinee(&self, id: IdIndex) -> Result<String, pdb::Error> {
        let mut parts = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next.filter(|_| parts.len() < MOST_SCOPES) {
            next = None;
            match self.ids.find(id).and_then(|item| item.parse()) {
                Ok(IdData::Function(it)) => {
                    parts.push(it.name.to_string());
                    next = it.scope;
                }
                Ok(IdData::MemberFunction(it)) => {
                    parts.push(it.name.to_string());
                    let class = self.types.find(it.parent).and_then(|item| item.parse());
                    parts.extend(class.ok().and_then(|class| type_name(&class)));
                }
                Ok(IdData::String(it)) => parts.push(it.name.to_string()),
                _ => {}
            }
        }
        parts.reverse();
        Ok(match parts.is_empty() {
            true => "<unnamed>".to_string(),
            false => parts.join("::"),
        })
    }
}

/// The name of a class, structure or union.
fn type_name(class: &TypeData) -> Option<std::borrow::Cow<'static, str>> {
    Some(class.name()?.to_string().into_owned().into())
}

/// The bytes of a PDB file, as the reader wants them.
#[derive(Debug)]
struct File<'a>(&'a [u8]);

impl<'a> Source<'a> for File<'a> {
    fn view(
        &mut self,
        slices: &[SourceSlice],
    ) -> Result<Box<dyn SourceView<'a> + Send + Sync>, std::io::Error> {
        let cut_off = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let mut view = Vec::new();
        for slice in slices {
            let start = usize::try_from(slice.offset).map_err(|_| cut_off())?;
            let end = start.checked_add(slice.size).ok_or_else(cut_off)?;
            view.extend_from_slice(self.0.get(start..end).ok_or_else(cut_off)?);
            // No stream uses a page twice, so none is longer than the file. A damaged page list
            // could otherwise ask for all memory.
            if view.len() > self.0.len() {
                return Err(cut_off());
            }
        }
        Ok(Box::new(View(view)))
    }
}

/// A stream put together from its pages.
struct View(Vec<u8>);

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl SourceView<'_> for View {
    fn as_slice(&self) -> &[u8] {
        &self.0
    }
}
