//! The code at the focus.

use isa::Decoder;

use super::{Listing, Pane, Row, View, short_source};

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
    let Some(rva) = image.rva(pc) else {
        return nothing;
    };
    // x86 code can only be read from a known beginning: the function's.
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
    let here = all.iter().position(|(at, ..)| *at == pc).unwrap_or(0);
    let from = here.saturating_sub(AROUND);
    let to = (here + AROUND + 1).min(all.len());
    let mut last = None;
    let rows = all[from..to].iter().map(|(at, len, name, rest)| {
        let frame = view.record.source(*at);
        let line = frame.map(|f| format!("{}:{}", short_source(&f.file), f.line));
        let shown = line.clone().filter(|line| last.as_ref() != Some(line));
        last = line;
        let cells = [
            view.digits(*at),
            format!("{name:<5} {rest}"),
            shown.unwrap_or_default(),
        ];
        Row::new(cells).datum(*at, u64::from(*len))
    });
    Listing {
        title: format!("c{} {}", view.focus.core, view.names().resolve(pc)),
        columns,
        rows: rows.collect(),
        current: Some(here - from),
        empty,
    }
}
