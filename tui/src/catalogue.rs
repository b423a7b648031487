//! Scenarios by name or by path: the bundled ones are part of the program.

use std::fs;
use std::path::{Path, PathBuf};

use emu::scenario::{Scenario, ScenarioError, parse};

use crate::command::load;
use crate::failure::{Failure, Outcome};
use crate::replay_line::quoted;
use crate::suggest;

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every bundled scenario, sorted by name. A new one is a line here.
        pub const BUNDLED: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*
        ];
    };
}

bundled![
    "account",
    "bluetooth",
    "counter",
    "deadlock",
    "faults",
    "kb931322",
    "port",
    "q252664",
    "reorder",
    "reserve",
    "rules",
    "stack",
    "twostage",
    "wronglock",
];

/// Name and text of every bundled campaign.
pub const CAMPAIGNS: &[(&str, &str)] = &[("smoke", include_str!("../../docs/smoke.campaign.toml"))];

/// A scenario and where it came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// How the user called it: a bundled name or a path; for one that was made, the name it was
    /// given.
    pub name: String,
    /// The words of a command line that call it, after `irqlab`, quoted for a shell.
    pub call: String,
    /// It was made by the program and is in no file: whoever wants it again needs its text.
    pub made: bool,
    /// Its text.
    pub text: String,
    /// The folder that its file names are relative to; a bundled scenario has none.
    pub folder: Option<PathBuf>,
    /// The scenario.
    pub scenario: Scenario,
}

/// Whether a bundled scenario has this name.
pub fn is_bundled(name: &str) -> bool {
    BUNDLED.iter().any(|(bundled, _)| *bundled == name)
}

/// Finds a scenario: a bundled name, or else the path of a `.toml` file. For the path of a driver one
/// is made that uses its devices.
///
/// # Errors
/// No such scenario, a file that cannot be read, a scenario that is not well formed, or a driver that
/// cannot be used.
pub fn find(name: &str) -> Outcome<Source> {
    if let Some((_, text)) = BUNDLED.iter().find(|(bundled, _)| *bundled == name) {
        return read(name, &format!("{name}.toml"), (*text).to_owned(), None);
    }
    if name.ends_with(".sys") {
        return load::source(name);
    }
    let path = Path::new(name);
    let looks_like_path = name.ends_with(".toml") || path.components().count() > 1;
    if !looks_like_path {
        let names: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
        let problem = format!("there is no scenario '{name}'");
        let mend = format!(
            "{} (a file is named by a path that ends in .toml or .sys)",
            suggest::mend(name, &names)
        );
        return Err(Failure::new(problem).mend(mend));
    }
    let text = fs::read_to_string(path).map_err(|error| Failure::at(name, error))?;
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    read(name, name, text, Some(folder))
}

/// A scenario that the program made itself. The files that it names are relative to the current
/// folder. `call` is the part of a command line that makes it again.
///
/// # Errors
/// A scenario that is not well formed: what the user put into it.
pub fn made(name: &str, text: String, call: String) -> Result<Source, ScenarioError> {
    let scenario = parse(name, &text)?;
    Ok(Source {
        name: name.to_owned(),
        call,
        made: true,
        text,
        folder: Some(PathBuf::new()),
        scenario,
    })
}

fn read(name: &str, file: &str, text: String, folder: Option<PathBuf>) -> Outcome<Source> {
    let scenario = parse(file, &text)?;
    Ok(Source {
        name: name.to_owned(),
        call: format!("run {}", quoted(name)),
        made: false,
        text,
        folder,
        scenario,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_repository_is_bundled() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let toml = files.filter(|path| path.extension().is_some_and(|e| e == "toml"));
        let mut names: Vec<String> = toml
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let bundled: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
        assert_eq!(bundled, names);
    }

    #[test]
    fn bundled_scenarios_are_well_formed() {
        for (name, _) in BUNDLED {
            assert_eq!(find(name).unwrap().scenario.name, *name);
        }
    }
}
