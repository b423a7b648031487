//! Functions, lines and inlined calls of an image, as sorted plain data: a lookup is a binary
//! search, and the whole can be shared between machines. [`super::pdb`] fills it in.

use std::collections::BTreeMap;

/// One level of the source position of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFrame {
    /// The function's full name without arguments, for example `sample::table::insert`. Rust
    /// names are those of the compiler's debug information, so they have no hash.
    pub function: String,
    /// The source file as the compiler recorded it, with forward slashes.
    pub file: String,
    /// The line, from 1; 0 where the compiler made one piece of code of several lines.
    pub line: u32,
}

/// The symbols of one image. All addresses are relative to its base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    /// In ascending order of address; no two begin at the same.
    pub(super) functions: Vec<Function>,
    /// Function names and file names, named by their index.
    pub(super) texts: Vec<String>,
    /// Functions and variables by name.
    pub(super) addresses: BTreeMap<String, u32>,
}

/// A function that has code of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub rva: u32,
    pub len: u32,
    /// Index of its name.
    pub name: usize,
    /// In ascending order of address; each holds until the next.
    pub lines: Vec<Line>,
    /// The code of functions inlined into this one, callers before callees.
    pub inlined: Vec<Inlined>,
}

/// The source line of the code from `rva` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub rva: u32,
    /// Index of the file's name.
    pub file: usize,
    pub line: u32,
}

/// A stretch of code that comes from one line of an inlined function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inlined {
    /// How many inlined calls are around it: 0 when it was called by the function itself.
    pub depth: usize,
    pub line: Line,
    pub len: u32,
    /// Index of the inlined function's name.
    pub name: usize,
}

impl Symbols {
    /// The name of the function that has the code at `rva`.
    pub fn function(&self, rva: u32) -> Option<&str> {
        Some(&self.texts[self.containing(rva)?.name])
    }

    /// The source position of the code at `rva`, innermost inlined function first. Empty if no
    /// line is known.
    pub fn source(&self, rva: u32) -> Vec<SourceFrame> {
        let Some(function) = self.containing(rva) else {
            return Vec::new();
        };
        let frame = |name: usize, line: &Line| SourceFrame {
            function: self.texts[name].clone(),
            file: self.texts[line.file].clone(),
            line: line.line,
        };
        let after = function.lines.partition_point(|line| line.rva <= rva);
        let own = function.lines[..after].last();
        let outermost = own.map(|line| frame(function.name, line));
        let inlined = function
            .inlined
            .iter()
            .filter(|code| rva.wrapping_sub(code.line.rva) < code.len)
            .map(|code| frame(code.name, &code.line));
        let mut frames: Vec<SourceFrame> = outermost.into_iter().chain(inlined).collect();
        frames.reverse();
        frames
    }

    /// The address of a function or variable, by the name that [`Symbols::function`] gives or by
    /// its linker name.
    pub fn address(&self, name: &str) -> Option<u32> {
        self.addresses.get(name).copied()
    }

    /// Every function's address, length in bytes and name, in ascending order of address.
    pub fn functions(&self) -> impl Iterator<Item = (u32, u32, &str)> {
        self.functions.iter().map(|function| {
            (
                function.rva,
                function.len,
                self.texts[function.name].as_str(),
            )
        })
    }

    fn containing(&self, rva: u32) -> Option<&Function> {
        let after = self
            .functions
            .partition_point(|function| function.rva <= rva);
        let function = self.functions[..after].last()?;
        (rva - function.rva < function.len).then_some(function)
    }
}
