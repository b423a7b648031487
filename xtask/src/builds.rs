//! The pinned runs on two builds of irqlab: its own crates without optimisation and with debug
//! assertions, and optimised. A run is the same in both, whatever compiler built the drivers; the
//! pins of the test are for the drivers of one compiler only.
//!
//! The first build overrides the release profile for irqlab's own crates alone: the processor
//! emulator and everything else stay as they were compiled.

use crate::failure::{Failure, Outcome};
use crate::workspace;
use std::fs;
use std::path::PathBuf;
use toml::de::DeTable;

/// The folders of the crates that the program is made of.
pub const OWN: [&str; 3] = ["isa", "emu", "tui"];

/// The files that the test writes, by build. It tells the builds apart by itself, so that an
/// override that does not work is a file that is not there.
const CHECKED: &str = "checked.txt";
const OPTIMISED: &str = "optimised.txt";

/// Options of cargo that make a build with debug assertions, which is also the one that is compiled
/// in the least time.
///
/// To be used before anything that is to stay: it leaves this build's `target/release/irqlab`.
pub fn checked() -> Outcome<Vec<String>> {
    let mut options = Vec::new();
    for folder in OWN {
        let package = package_name(folder)?;
        for setting in ["opt-level=0", "debug-assertions=true"] {
            let setting = format!("profile.release.package.{package}.{setting}");
            options.extend(["--config".to_string(), setting]);
        }
    }
    Ok(options)
}

fn package_name(folder: &str) -> Outcome<String> {
    let path = workspace::root().join(folder).join("Cargo.toml");
    let wrong = |what: String| Failure::step(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let manifest = DeTable::parse(&text).map_err(|error| wrong(error.to_string()))?;
    let package = manifest.get_ref().get("package");
    let name = package.and_then(|package| package.get_ref().get("name")?.get_ref().as_str());
    name.map(str::to_string)
        .ok_or_else(|| wrong("no package name".to_string()))
}

fn folder() -> PathBuf {
    workspace::target().join("tmp/pinned")
}

/// Removes what an earlier test wrote.
pub fn forget() -> Outcome<()> {
    match fs::remove_dir_all(folder()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::step(format!(
            "cannot remove {}: {error}",
            folder().display()
        ))),
        _ => Ok(()),
    }
}

/// Fails unless both builds have run the pinned runs and they were the same.
pub fn compare() -> Outcome<()> {
    let read = |name: &str| {
        let path = folder().join(name);
        fs::read_to_string(&path)
            .map_err(|error| Failure::step(format!("{}: {error}", path.display())))
    };
    let (checked, optimised) = (read(CHECKED)?, read(OPTIMISED)?);
    match first_difference(&checked, &optimised) {
        None => Ok(()),
        Some((with, without)) => Err(Failure::step(format!(
            "a run depends on how irqlab was built\n  with debug assertions: {with}\n  optimised: {without}"
        ))),
    }
}

/// The first lines that are not the same; of a text that has ended, an empty one. Two texts without
/// a run differ, too: nothing was compared.
fn first_difference<'a>(one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut a, mut b) = (one.lines(), other.lines());
    let mut runs = 0;
    loop {
        match (a.next(), b.next()) {
            (None, None) => return (runs == 0).then_some(("", "")),
            (x, y) if x != y => return Some((x.unwrap_or(""), y.unwrap_or(""))),
            (line, _) => runs += u32::from(line.is_some_and(|line| line.contains(" trace "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_anywhere_is_found() {
        let runs = "drivers of x\na trace 1\nb trace 2\n";
        assert_eq!(first_difference(runs, runs), None);
        let other = runs.replace("trace 2", "trace 3");
        assert_eq!(
            first_difference(runs, &other),
            Some(("b trace 2", "b trace 3"))
        );
        let shorter = runs.replace("b trace 2\n", "");
        assert_eq!(first_difference(runs, &shorter), Some(("b trace 2", "")));
        assert_eq!(first_difference("", ""), Some(("", "")));
        assert_eq!(
            first_difference("drivers of x\n", "drivers of x\n"),
            Some(("", ""))
        );
    }

    #[test]
    fn every_own_crate_is_built_with_assertions() {
        let words = checked().unwrap().join(" ") + " ";
        for package in ["irqlab", "irqlab-emu", "irqlab-isa"] {
            let setting = format!(" profile.release.package.{package}.debug-assertions=true ");
            assert!(words.contains(&setting), "{words}");
        }
    }
}
