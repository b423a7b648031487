//! A plain list of a stop's facts, for machines whose stop screen has no public text. It does not
//! pretend to be a screen of Windows.

use super::{Colour, Display, Screen};
use crate::report::codes;
use crate::report::facts::{Dump, StopFacts};

const COLUMNS: usize = 80;
const ROWS: usize = 50;
/// Modules listed; a note says how many are left out.
const MODULES: usize = 24;

/// Said above the facts and in the screen's note.
const NO_TEXT: &str = "no public text of this profile's stop screen is known";

/// The facts of any machine under any personality.
pub(super) fn render(facts: &StopFacts) -> Screen {
    let mut display = Display::new(COLUMNS, ROWS);
    let (major, minor, build) = facts.personality.version();
    display.print(&format!("[{NO_TEXT}; these are its facts]"));
    display.print("");
    let name = codes::name(facts.bugcheck.code).unwrap_or_default();
    display.print(&format!("STOP 0x{:08X} {name}", facts.bugcheck.code));
    for (index, &value) in facts.bugcheck.params.iter().enumerate() {
        let words = codes::explain(
            facts.bugcheck.code,
            &facts.bugcheck.params,
            index,
            facts.profile,
        );
        let image = image(facts, value);
        display.print(&format!(
            "  parameter {}  0x{}  {words}{image}",
            index + 1,
            facts.pointer(value)
        ));
    }
    let level = facts.bugcheck.irql;
    let pc = facts.bugcheck.pc;
    display.print("");
    display.print(&format!("Windows    {major}.{minor} build {build}"));
    display.print(&format!(
        "machine    {}, processors: {}",
        facts.profile.name(),
        facts.cpus
    ));
    display.print(&format!(
        "stopped    core {} at IRQL {level} ({})",
        facts.bugcheck.core,
        facts.profile.irql().name(level)
    ));
    display.print(&format!(
        "at         {}{}",
        facts.pointer_lower(pc),
        image(facts, pc)
    ));
    display.print("");
    module_lines(facts, &mut display);
    display.print("");
    display.print(match facts.recovery.dump {
        Dump::None => "memory dump: none",
        Dump::Complete => "memory dump: complete",
        Dump::Kernel => "memory dump: kernel memory",
        Dump::Small => "memory dump: small",
    });
    display.finish(Colour::Default, Colour::Default, Some(sentence(NO_TEXT)))
}

fn module_lines(facts: &StopFacts, display: &mut Display) {
    display.print("base              size      date stamp  version         image");
    for module in facts.modules.iter().take(MODULES) {
        let version = module
            .version
            .map(|[a, b, c, d]| format!("{a}.{b}.{c}.{d}"));
        display.print(&format!(
            "{:<17} {:<9x} {:08x}    {:<15} {}",
            facts.pointer_lower(module.base),
            module.size,
            module.timestamp,
            version.unwrap_or_default(),
            module.name
        ));
    }
    let left = facts.modules.len().saturating_sub(MODULES);
    if left > 0 {
        display.print(&format!("... and {left} more"));
    }
}

/// ", in IMAGE" if the address lies in one.
fn image(facts: &StopFacts, address: u64) -> String {
    match facts.module_at(address) {
        Some(module) => format!(", in {}", module.name),
        None => String::new(),
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).chain(['.']).collect(),
        None => String::new(),
    }
}
