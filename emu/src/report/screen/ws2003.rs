//! The stop screen of Windows Server 2003: white on blue, on the boot video driver's display.
//!
//! Order of the parts: ReactOS `ntoskrnl/ke/bug.c`, `KiDisplayBlueScreen`. Wording: public
//! transcriptions of the screen. 640 by 480 dots with characters of 8 by 13 dots and a line
//! distance of 14 (ReactOS `drivers/base/bootvid`) make 80 by 34 cells; longer lines run on.

use isa::Profile;

use super::{Colour, Display, Screen};
use crate::report::codes;
use crate::report::facts::{Dump, ModuleFacts, StopFacts};

const COLUMNS: usize = 80;
const ROWS: usize = 34;

const INTRODUCTION: &str = "\
A problem has been detected and Windows has been shut down to prevent damage
to your computer.";

const FIRST_TIME: &str = "\
If this is the first time you've seen this Stop error screen,
restart your computer. If this screen appears again, follow
these steps:";

const GENERIC_ADVICE: &str = "\
Check to make sure any new hardware or software is properly installed.
If this is a new installation, ask your hardware or software manufacturer
for any Windows updates you might need.

If problems continue, disable or remove any newly installed hardware
or software. Disable BIOS memory options such as caching or shadowing.
If you need to use Safe Mode to remove or disable components, restart
your computer, press F8 to select Advanced Startup Options, and then
select Safe Mode.";

const EXCEPTION_ADVICE: &str = "\
Check to be sure you have adequate disk space. If a driver is
identified in the Stop message, disable the driver or check
with the manufacturer for driver updates. Try changing video
adapters.

Check with your hardware vendor for any BIOS updates. Disable
BIOS memory options such as caching or shadowing. If you need
to use Safe Mode to remove or disable components, restart your
computer, press F8 to select Advanced Startup Options, and then
select Safe Mode.";

const DUMP: &str = "
Beginning dump of physical memory
Physical memory dump complete.
Contact your system administrator or technical support group for further
assistance.";

/// Which advice a code's screen gives. Only the generic class shows the code's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    /// All codes without a text of their own.
    Generic,
    /// 0x1E and its variants 0x7E and 0x8E.
    Exception,
    /// A text of its own for which no public transcription was found.
    Untranscribed,
}

impl Message {
    fn of(code: u32) -> Self {
        match code {
            0x1E | 0x7E | 0x8E => Self::Exception,
            0x23 | 0x24 | 0x2E | 0x3F | 0x7B | 0x7F | 0xA5 | 0xC5 | 0xD0 | 0xEA => {
                Self::Untranscribed
            }
            _ => Self::Generic,
        }
    }
}

/// The screen of any machine under Server 2003.
pub(super) fn render(facts: &StopFacts) -> Screen {
    let code = facts.bugcheck.code;
    let message = Message::of(code);
    let mut display = Display::new(COLUMNS, ROWS);
    display.print_all(INTRODUCTION);
    display.print("");
    if let Some(module) = facts.blamed() {
        display.print(&format!(
            "The problem seems to be caused by the following file: {}",
            module.name
        ));
        display.print("");
    }
    if let (Message::Generic, Some(name)) = (message, codes::name(code)) {
        display.print(name);
        display.print("");
    }
    display.print_all(FIRST_TIME);
    display.print("");
    match message {
        Message::Generic => display.print_all(GENERIC_ADVICE),
        Message::Exception => display.print_all(EXCEPTION_ADVICE),
        Message::Untranscribed => display.print("[the advice for this code has no public text]"),
    }
    display.print("");
    display.print("Technical information:");
    display.print("");
    let params = facts
        .bugcheck
        .params
        .map(|p| format!("0x{}", facts.pointer(p)));
    display.print(&format!("*** STOP: 0x{code:08X} ({})", params.join(",")));
    let images = images(facts);
    if !images.is_empty() {
        display.print("");
    }
    for (address, module) in images {
        display.print(&format!(
            "***  {:>12} - Address {} base at {}, DateStamp {:08x}",
            module.name,
            facts.pointer(address),
            facts.pointer(module.base),
            module.timestamp
        ));
    }
    if facts.recovery.dump != Dump::None {
        display.print_all(DUMP);
    }
    display.finish(Colour::White, Colour::Blue, note(facts.profile, message))
}

/// The addresses that are told together with their images: the program counter if the kernel
/// blames a driver, else every parameter that lies in an image.
fn images(facts: &StopFacts) -> Vec<(u64, &ModuleFacts)> {
    if let Some(module) = facts.blamed() {
        return vec![(facts.bugcheck.pc, module)];
    }
    facts
        .bugcheck
        .params
        .iter()
        .filter_map(|&address| Some((address, facts.module_at(address)?)))
        .collect()
}

fn note(profile: Profile, message: Message) -> Option<String> {
    let machine = match profile {
        Profile::I386 | Profile::Amd64 => None,
        Profile::Ia64 => Some(
            "No public picture of this profile's stop screen is known: this is the text of \
             Windows Server 2003, which is the same for every processor, with parameters of 16 \
             digits.",
        ),
        Profile::Arm64 | Profile::Alpha => Some(
            "Windows Server 2003 was never released for this profile's machine: this is its \
             text, which is the same for every processor, with parameters of 16 digits.",
        ),
    };
    let advice = match message {
        Message::Generic | Message::Exception => None,
        Message::Untranscribed => Some(
            "Windows Server 2003 gives advice of its own for this code; no public text of it is \
             known.",
        ),
    };
    match (machine, advice) {
        (None, None) => None,
        _ => Some(
            [machine, advice]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
        ),
    }
}
