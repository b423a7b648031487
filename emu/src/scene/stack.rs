//! The call stack of the core of the focus.

use super::{Listing, Pane, Row, View, short_source};

/// The pane.
pub const PANE: Pane = Pane {
    name: "stack",
    help: "the call stack of the core, innermost first, across the kernel's own frames",
    list,
};

fn list(view: &View<'_>) -> Listing {
    let names = view.names();
    let core = usize::from(view.focus.core);
    let mut rows = Vec::new();
    for (depth, frame) in view.machine.backtrace(core).into_iter().enumerate() {
        // A return address stands behind its call.
        let pc = if depth == 0 {
            frame.pc
        } else {
            frame.pc.saturating_sub(1)
        };
        for place in names.resolve_inlined(pc) {
            let source = place.source.as_ref();
            let source = source.map(|(file, line)| format!("{}:{line}", short_source(file)));
            let module = place.module.unwrap_or_default();
            let cells = [
                depth.to_string(),
                place.function.unwrap_or(module),
                source.unwrap_or_default(),
                String::new(),
                view.digits(frame.pc),
            ];
            rows.push(Row::new(cells));
        }
        if let (Some(what), Some(row)) = (frame.entered, rows.last_mut()) {
            row.cells[3] = format!("the kernel called it: {what}");
        }
    }
    let registers = view.machine.registers(core);
    let sp = isa::RegisterAccess::get(&registers, isa::stack_pointer(view.machine.arch()));
    Listing {
        title: format!("c{core}, stack pointer {}", view.digits(sp)),
        columns: &["frame", "function", "source", "entered", "address"],
        rows,
        empty: "the core executes no driver code here",
        ..Listing::default()
    }
}
