//! The debugger's output: `DbgPrint` formats as the C library does and becomes an event.

use isa::{Convention, Registers};

use super::format::{Arguments, format};
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, long, ptr};
use crate::nt::{Api, Call, Done, Trouble, layout, status};
use crate::trace::EventKind;

const WDK: &str = "Windows driver documentation: DbgPrint, DbgPrintEx; wdm.h";
/// Longest output of one call, in bytes.
const OUTPUT_MAX: usize = 512;

/// Debugger functions.
pub const API: &[Api] = &[
    Api {
        name: "DbgPrint",
        module: Module::Ntoskrnl,
        style: Style::C,
        args: &[ptr("Format")],
        irql: Contract::Any,
        source: WDK,
        handler: print,
    },
    Api {
        name: "DbgPrintEx",
        module: Module::Ntoskrnl,
        style: Style::C,
        args: &[long("ComponentId"), long("Level"), ptr("Format")],
        irql: Contract::Any,
        source: WDK,
        handler: print_filtered,
    },
    Api {
        name: "DbgBreakPoint",
        module: Module::Ntoskrnl,
        style: Style::Std,
        args: &[],
        irql: Contract::Any,
        source: WDK,
        handler: break_point,
    },
];

fn print(call: &mut Call<'_>) -> Done {
    let pattern = call.args[0];
    output(call, pattern, 1)
}

fn print_filtered(call: &mut Call<'_>) -> Done {
    // Everything is shown: there is a trace to filter later.
    let pattern = call.args[2];
    output(call, pattern, 3)
}

/// Formats the pattern at an address with the arguments from slot `next` on.
fn output(call: &mut Call<'_>, pattern: u64, next: usize) -> Done {
    let pattern = terminated(call, pattern, false, OUTPUT_MAX)?;
    let convention = Style::C.convention(call.arch());
    let registers = call.m.registers(call.core);
    let mut text = format(
        &pattern,
        &mut Slots {
            call,
            registers,
            convention,
            next,
        },
    )?;
    let end = text
        .char_indices()
        .map(|(i, _)| i)
        .find(|&i| i >= OUTPUT_MAX);
    text.truncate(end.unwrap_or(text.len()));
    call.event(EventKind::Debug { text });
    Ok(Outcome::Return(u64::from(status::SUCCESS)))
}

fn break_point(call: &mut Call<'_>) -> Done {
    Err(call.unimplemented("DbgBreakPoint", "no debugger is attached"))
}

/// The text at an address up to its terminator, at most `limit` characters.
fn terminated(call: &mut Call<'_>, at: u64, wide: bool, limit: usize) -> Result<String, Trouble> {
    let mut units = Vec::new();
    while units.len() < limit.min(OUTPUT_MAX) {
        let i = units.len() as u64;
        let unit = if wide {
            call.u16(at + 2 * i)?
        } else {
            u16::from(call.u8(at + i)?)
        };
        if unit == 0 {
            break;
        }
        units.push(unit);
    }
    Ok(String::from_utf16_lossy(&units))
}

/// The variable arguments of the call in progress.
struct Slots<'a, 'b> {
    call: &'a mut Call<'b>,
    registers: Registers,
    convention: Convention,
    next: usize,
}

impl Arguments for Slots<'_, '_> {
    type Error = Trouble;

    fn word(&mut self) -> Result<u64, Trouble> {
        let slot = self.next;
        self.next += 1;
        let value = self
            .convention
            .argument(&self.registers, &*self.call.m.memory, slot);
        value.ok_or_else(|| {
            self.call
                .unimplemented("DbgPrint", format!("argument {slot} is on no mapped stack"))
        })
    }

    fn quad(&mut self) -> Result<u64, Trouble> {
        let low = self.word()?;
        if self.pointer_size() == 8 {
            Ok(low)
        } else {
            Ok(low | self.word()? << 32)
        }
    }

    fn text(&mut self, at: u64, wide: bool, limit: usize) -> Result<String, Trouble> {
        terminated(self.call, at, wide, limit)
    }

    fn counted(&mut self, at: u64, wide: bool) -> Result<String, Trouble> {
        if wide {
            return self.call.unicode_string(at);
        }
        let l = layout::of(self.call.arch()).unicode_string;
        let length = u64::from(self.call.u16(at + l.length)?);
        let buffer = self.call.ptr(at + l.buffer)?;
        let bytes = self.call.read_vec(buffer, length)?;
        Ok(bytes.into_iter().map(char::from).collect())
    }

    fn pointer_size(&self) -> usize {
        self.call.arch().pointer_size() as usize
    }

    fn unknown(&mut self, specification: &str) -> Trouble {
        self.call.unimplemented(
            "DbgPrint",
            format!("the format specification {specification:?}"),
        )
    }
}
