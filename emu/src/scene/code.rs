//! The code at the focus.

use isa::Decoder;

use super::{Listing, Pane, Row, View, short_source};
use crate::loader::Image;

/// The pane.
pub const PANE: Pane = Pane {
    name: "code",
    help: "the instructions around the one that the core executes next, with their source lines",
    list,
};

/// Instructions that are shown before and after.
const AROUND: usize = 12;
/// Longest function that is disassembled from its beginning, in bytes.
const LONGEST: u32 = 1 << 16;

/// An instruction: its address, its length and its text.
pub type Line = (u64, u8, String);

/// The instructions around `pc`, at most so many on each side, and which of them it is in. x86 code
/// can only be read from a known beginning: the function's.
pub fn disassemble(image: &Image, pc: u64, around: usize) -> (Vec<Line>, Option<usize>) {
    let Some(rva) = image.rva(pc) else {
        return (Vec::new(), None);
    };
    let mut functions = image.symbols.iter().flat_map(|symbols| symbols.functions());
    let function = functions.find(|(start, len, _)| rva.wrapping_sub(*start) < *len);
    let (start, len) = match function {
        Some((start, len, _)) if len <= LONGEST => (start, len),
        _ => (rva, 16),
    };
    let end = (start as usize + len as usize).min(image.data.len());
    let bytes = image.data.get(start as usize..end).unwrap_or_default();
    let decoder = Decoder::new(image.arch);
    let all = decoder.disassemble(bytes, image.base + u64::from(start), bytes.len());
    // The address may be inside a call: the instruction is the last one that begins there or before.
    let after = all.iter().position(|(at, ..)| *at > pc);
    let here = after.unwrap_or(all.len()).checked_sub(1);
    let middle = here.unwrap_or(0);
    let from = middle.saturating_sub(around);
    let to = (middle + around + 1).min(all.len());
    let text = |mnemonic: &str, operands: &str| format!("{mnemonic:<5} {operands}");
    let lines = all[from..to].iter();
    let lines = lines.map(|(at, len, name, rest)| (*at, *len, text(name, rest)));
    (lines.collect(), here.map(|here| here - from))
}

fn list(view: &View<'_>) -> Listing {
    let columns = &["address", "instruction", "source"];
    let empty = "the core executes no driver code here";
    let nothing = Listing {
        columns,
        empty,
        ..Listing::default()
    };
    let retired = view.record.retired(view.focus.at);
    let Some(pc) = view.record.pc(view.focus.core, retired) else {
        return nothing;
    };
    let Some(image) = view.record.image(pc) else {
        return nothing;
    };
    let (all, here) = disassemble(image, pc, AROUND);
    let mut last = None;
    let rows = all.iter().map(|(at, len, text)| {
        let frame = view.record.source(*at);
        let line = frame.map(|f| format!("{}:{}", short_source(&f.file), f.line));
        let shown = line.clone().filter(|line| last.as_ref() != Some(line));
        last = line;
        let cells = [view.digits(*at), text.clone(), shown.unwrap_or_default()];
        Row::new(cells).datum(*at, u64::from(*len))
    });
    Listing {
        title: format!("c{} {}", view.focus.core, view.names().resolve(pc)),
        columns,
        rows: rows.collect(),
        current: here,
        empty,
    }
}
