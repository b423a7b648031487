//! The registers of the core of the focus.

use isa::{Reg, RegisterAccess};

use super::{Listing, Pane, Row, View};

/// The pane.
pub const PANE: Pane = Pane {
    name: "registers",
    help: "the registers of the core, and what they point to",
    list,
};

fn list(view: &View<'_>) -> Listing {
    let machine = view.machine;
    let arch = machine.arch();
    let registers = machine.registers(usize::from(view.focus.core));
    let general = match arch {
        isa::Arch::X86 => 8,
        isa::Arch::X64 => 16,
        isa::Arch::Arm64 => 32,
    };
    let all = (0..general).map(Reg).chain([Reg::PC, Reg::FLAGS]);
    let size = arch.pointer_size();
    let rows = all.map(|register| {
        let value = registers.get(register);
        let target = match register {
            Reg::FLAGS => String::new(),
            _ => view.target(value),
        };
        let row = Row::new([
            isa::name(arch, register).to_owned(),
            view.digits(value),
            target,
        ]);
        match register {
            Reg::FLAGS => row,
            _ => row.datum(value, size),
        }
    });
    Listing {
        title: format!("c{}", view.focus.core),
        columns: &["register", "value", "points to"],
        rows: rows.collect(),
        ..Listing::default()
    }
}
