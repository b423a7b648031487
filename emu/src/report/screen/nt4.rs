//! The stop screen of Windows NT 4.0 on x86: 80 by 50 cells of text.
//!
//! Layout: Microsoft, "Windows NT Workstation Resource Kit", chapter 38, figure 38.1; the 39-cell
//! distance of the two module columns and the blank lines follow public transcriptions of screens.
//! How NT shares the lines between modules and stack is not public: here the stack keeps
//! [`STACK_ROWS`] lines if it has so many, and the modules get what is left.

use super::{Colour, Display, Screen};
use crate::report::codes;
use crate::report::facts::{Dump, StopFacts};

const COLUMNS: usize = 80;
const ROWS: usize = 50;
/// Lines that the stack dump keeps when there are many modules.
const STACK_ROWS: usize = 8;
/// Bytes of a stack word.
const WORD: u64 = 4;

const MODULE_HEADER: &str = "Dll Base DateStmp - Name               Dll Base DateStmp - Name";

/// The screen of an x86 machine under NT 4.0.
pub(super) fn render(facts: &StopFacts) -> Screen {
    let mut top = Display::new(COLUMNS, ROWS);
    stop_lines(facts, &mut top);
    top.print("");
    top.print(&identification(facts));
    top.print("");
    top.print(MODULE_HEADER);

    let tail = recovery(facts);
    let stack = stack_rows(facts);
    // The blank line and the header of the stack dump stand between the two lists.
    let free = ROWS.saturating_sub(top.lines.len() + tail.len() + 2);
    let modules = module_rows(facts);
    let shown = modules
        .len()
        .min(free.saturating_sub(stack.len().min(STACK_ROWS)));
    for row in &modules[..shown] {
        top.print(row);
    }
    top.print("");
    let (_, _, build) = facts.personality.version();
    top.print(&format!(
        "{:<62}- Name",
        format!("Address  dword dump   Build [{build}]")
    ));
    for row in stack.iter().take(free - shown) {
        top.print(row);
    }
    for line in tail {
        top.print(line);
    }
    top.finish(Colour::White, Colour::Blue, None)
}

/// The code with its parameters, then its name, immediately followed by the images in which
/// parameters lie, one per line.
fn stop_lines(facts: &StopFacts, display: &mut Display) {
    let [a, b, c, d] = facts.bugcheck.params;
    display.print(&format!(
        "*** STOP: 0x{:08X} (0x{a:08X},0x{b:08X},0x{c:08X},0x{d:08X})",
        facts.bugcheck.code
    ));
    let mut line = codes::name(facts.bugcheck.code)
        .unwrap_or_default()
        .to_string();
    for address in facts.bugcheck.params {
        let Some(module) = facts.module_at(address) else {
            continue;
        };
        line += &format!(
            "*** Address {address:08x} has base at {:08x} - {}",
            module.base, module.name
        );
        display.print(&std::mem::take(&mut line));
    }
    if !line.is_empty() {
        display.print(&line);
    }
}

/// The processor, the level at which the screen is painted, and the build with the letter of a
/// free (`f`) kernel.
fn identification(facts: &StopFacts) -> String {
    let cpu = match facts.cpu.as_str() {
        "" => String::new(),
        cpu => format!("CPUID:{cpu} "),
    };
    let (_, _, build) = facts.personality.version();
    let high = facts.profile.irql().high;
    format!("{cpu}irql:{high:x}   SYSVER 0x{:08x}", 0xF000_0000 | build)
}

/// Two modules per line, in load order.
fn module_rows(facts: &StopFacts) -> Vec<String> {
    let cells: Vec<String> = facts
        .modules
        .iter()
        .map(|m| format!("{:08x} {:08x} - {:<18}", m.base, m.timestamp, m.name))
        .collect();
    cells.chunks(2).map(|pair| pair.join(" ")).collect()
}

/// The stack upwards: a line for every word that points into an image, with the word once more
/// and the four above it.
fn stack_rows(facts: &StopFacts) -> Vec<String> {
    let mut rows = Vec::new();
    for (index, &value) in facts.stack.iter().enumerate() {
        let Some(module) = facts.module_at(value) else {
            continue;
        };
        let address = facts.stack_pointer.wrapping_add(index as u64 * WORD);
        let dump: Vec<String> = facts.stack[index..]
            .iter()
            .take(5)
            .map(|word| format!("{word:08x}"))
            .collect();
        rows.push(format!(
            "{:<62} - {}",
            format!("{address:08x} {value:08x} {}", dump.join(" ")),
            module.name
        ));
    }
    rows
}

/// The closing lines, by whether memory is dumped.
fn recovery(facts: &StopFacts) -> &'static [&'static str] {
    match facts.recovery.dump {
        Dump::None => &[
            "Restart and set the recovery options in the system control panel",
            "or the /CRASHDEBUG system start option. If this message reappears,",
            "contact your system administrator or technical support group.",
        ],
        Dump::Complete | Dump::Kernel | Dump::Small => &[
            "Beginning dump of physical memory",
            "Physical memory dump complete.  Contact your system administrator or",
            "technical support group.",
        ],
    }
}
