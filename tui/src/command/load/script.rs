//! The scenario that `irqlab load` runs: every device is opened by every thread, gets every
//! request, and is closed; then the drivers are unloaded, the last loaded first.

use std::fmt::Write;

use emu::nt::io::listing::Listed;
use isa::Arch;

use super::requests::{Control, LENGTH, digits};

/// Virtual milliseconds after the unloading in which what was left behind may still strike.
const AFTER_MS: u32 = 1000;

/// A driver as the scenario names it.
pub(crate) struct Named {
    /// Its name without `.sys`, by which it can be unloaded.
    pub(crate) name: String,
    /// The rest of its table: `file = ...` or `build = ...`.
    pub(crate) from: String,
}

/// What goes into the scenario.
pub(crate) struct Script<'a> {
    pub(crate) title: &'a str,
    pub(crate) arch: Arch,
    pub(crate) drivers: &'a [Named],
    pub(crate) devices: &'a [Listed],
    pub(crate) controls: &'a [Control],
    pub(crate) threads: u8,
    /// The user's `[[thread.step]]` and `[[registry]]` tables, as they stand in their files.
    pub(crate) requests: &'a str,
    pub(crate) registry: &'a str,
}

/// A TOML string in which braces stand for themselves.
pub(crate) fn literal(text: &str) -> String {
    // A JSON string is a TOML basic string.
    let braces = text.replace('{', "{{").replace('}', "}}");
    serde_json::Value::String(braces).to_string()
}

impl Script<'_> {
    /// The part before the registry of the user.
    pub(crate) fn head(&self) -> String {
        let (profiles, personalities) = match self.arch {
            Arch::X86 => ("\"i386\"", "\"ws2003-sp1\", \"ws2003-sp2\", \"nt4\""),
            Arch::X64 => ("\"amd64\"", "\"ws2003-sp1\", \"ws2003-sp2\""),
            Arch::Arm64 => (
                "\"arm64\", \"alpha\", \"ia64\"",
                "\"ws2003-sp1\", \"ws2003-sp2\", \"nt4\"",
            ),
        };
        let title = literal(self.title);
        let mut text = format!(
            "# Written by `irqlab load`. What the keys mean: scenarios/README.md of irqlab.\n\n\
             title = {title}\n\
             summary = \"every device of the drivers gets every kind of request\"\n\n\
             [machine]\nprofiles = [{profiles}]\npersonalities = [{personalities}]\ncpus = 2\n\n\
             {CHECKS}"
        );
        for Named { name, from } in self.drivers {
            let name = literal(name);
            let _ = write!(text, "\n[[driver]]\nname = {name}\n{from}\n");
        }
        text.push('\n');
        text
    }

    /// The whole scenario.
    pub(crate) fn text(&self) -> String {
        let mut text = self.head() + self.registry;
        let opened = || {
            self.devices
                .iter()
                .filter_map(|d| Some((d, d.name.as_ref()?)))
        };
        if opened().next().is_some() {
            for number in 0..self.threads {
                let _ = write!(text, "\n[[thread]]\nname = \"user {number}\"\n");
                // Where one file at a time can be open, one thread uses it.
                for (device, name) in opened().filter(|(d, _)| number == 0 || !d.exclusive) {
                    text += &self.use_device(name, usize::from(number));
                    // The links lead to what has been used.
                    for link in device.links.iter().filter(|_| number == 0) {
                        text += &step(&format!("open = {}\nstatus = \"any\"", literal(link)));
                        text += &step("close = \"handle\"");
                    }
                }
                text += &step(&format!("signal = \"user {number} is done\""));
            }
        }
        text += "\n[[thread]]\nname = \"unload\"\n";
        for number in (0..self.threads).filter(|_| opened().next().is_some()) {
            text += &step(&format!("await = {{ signal = \"user {number} is done\" }}"));
        }
        for driver in self.drivers.iter().rev() {
            let name = literal(&driver.name);
            text += &step(&format!("unload = {name}\nstatus = \"any\""));
        }
        text + &step(&format!("sleep_ms = {AFTER_MS}"))
    }

    /// Each thread begins with another request, so that different ones meet.
    fn use_device(&self, name: &str, thread: usize) -> String {
        let zeros = format!("[{{ zero = {LENGTH} }}]");
        let mut requests = vec![
            format!("read = {LENGTH}\nstatus = \"any\""),
            format!("write = {zeros}\nstatus = \"any\""),
        ];
        requests.extend(self.controls.iter().map(|control| {
            let input = match control.input.as_slice() {
                [] => String::new(),
                bytes => format!("input = [{{ bytes = \"{}\" }}]\n", digits(bytes)),
            };
            format!(
                "ioctl = 0x{:08X}\n{input}output = {}\nstatus = \"any\"",
                control.code, control.output
            )
        }));
        requests.push("flush = \"handle\"\nstatus = \"any\"".to_owned());
        let begin = thread % requests.len();
        requests.rotate_left(begin);
        let mut text = step(&format!("open = {}\nstatus = \"any\"", literal(name)));
        text.extend(requests.iter().map(|request| step(request)));
        if !self.requests.is_empty() {
            let _ = write!(text, "\n{}\n", self.requests.trim_end());
        }
        text + &step("close = \"handle\"")
    }
}

/// Everything that watches a run is on. What else there is to be turned on belongs here.
const CHECKS: &str = "[oracles]\nall = \"on\"\n\n[rules]\nall = \"stop\"\n";

fn step(keys: &str) -> String {
    format!("\n[[thread.step]]\n{keys}\n")
}
