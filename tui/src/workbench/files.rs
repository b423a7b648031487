//! Scenarios and recorded runs in files.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::home::{Recorded, Row};
use crate::catalogue;
use crate::failure::{Failure, Outcome};

/// Longest file that is looked into, in bytes: a guard against reading something else.
const LONGEST: u64 = 4 << 20;
/// Most files of a folder that are looked at.
const MOST: usize = 500;

/// The rows of files that were named on the command line.
///
/// # Errors
/// One of them cannot be read or is not well formed.
pub fn named(names: &[String]) -> Outcome<Vec<Row>> {
    let row = |name: &String| match name.ends_with(".schedule") {
        false => catalogue::find(name).map(Row::scenario),
        true => match recorded(name) {
            Recorded {
                file: Err(problem), ..
            } => Err(Failure::at(name, problem)),
            recorded => Ok(Row::Recorded(Box::new(recorded))),
        },
    };
    names.iter().map(row).collect()
}

/// The rows of the files in the current folder: `.toml` files that are scenarios, and after them
/// `.schedule` files. Other `.toml` files are somebody else's.
pub fn in_current_folder() -> Vec<Row> {
    let Ok(folder) = fs::read_dir(".") else {
        return Vec::new();
    };
    let names = folder.flatten().map(|entry| entry.file_name());
    let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    names.retain(|name| name.ends_with(".toml") || name.ends_with(".schedule"));
    names.sort();
    names.truncate(MOST);
    let (schedules, scenarios): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|name| name.ends_with(".schedule"));
    let small = |name: &String| fs::metadata(name).is_ok_and(|m| m.is_file() && m.len() <= LONGEST);
    let scenarios = scenarios.iter().filter(|name| small(name));
    let scenarios = scenarios.filter_map(|name| catalogue::find(name).ok());
    let recorded = schedules
        .iter()
        .map(|name| Row::Recorded(Box::new(recorded(name))));
    scenarios.map(Row::scenario).chain(recorded).collect()
}

/// What a file says of a run.
pub fn recorded(name: &str) -> Recorded {
    let mut text = String::new();
    let read =
        fs::File::open(Path::new(name)).and_then(|f| f.take(LONGEST).read_to_string(&mut text));
    let file = match read {
        Ok(_) => text.parse(),
        Err(error) => Err(error.to_string()),
    };
    Recorded {
        name: name.to_owned(),
        file,
    }
}
