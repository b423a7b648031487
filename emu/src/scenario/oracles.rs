//! `[oracles]`: which oracles are asked.

use super::error::{ScenarioError, Source, one_of};
use super::schema::File;
use crate::oracle::{self, ORACLES};

/// Stands for every oracle.
const ALL: &str = "all";

/// The table as words for [`oracle::select`], in the order of the file.
pub(super) fn words(source: &Source, file: &File) -> Result<Vec<String>, ScenarioError> {
    let mut entries: Vec<_> = file.oracles.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let word = |(name, value): (&super::schema::Spanned<String>, _)| {
        let text = name.get_ref();
        if text != ALL && oracle::find(text).is_none() {
            let names = ORACLES.iter().map(|o| o.name).chain([ALL]);
            let problem = format!("unknown oracle '{text}'");
            let mend = one_of("known are", text, names);
            return Err(source.error(name.span(), problem, mend));
        }
        let value: &super::schema::Spanned<String> = value;
        match value.get_ref().as_str() {
            "on" => Ok(text.clone()),
            "off" => Ok(format!("no-{text}")),
            other => {
                let problem = format!("an oracle is not '{other}'");
                Err(source.error(value.span(), problem, "write \"on\" or \"off\""))
            }
        }
    };
    entries.into_iter().map(word).collect()
}

/// The names of the oracles that are asked: the file's table, then the words of the command line.
pub(super) fn chosen(
    source: &Source,
    file: &File,
    more: &[String],
) -> Result<Vec<&'static str>, ScenarioError> {
    let mut words = words(source, file)?;
    words.extend_from_slice(more);
    match oracle::select(&words) {
        Ok(oracles) => Ok(oracles.iter().map(|o| o.name).collect()),
        Err(unknown) => {
            let origin = format!("--oracle {}", unknown.0);
            let problem = format!("unknown oracle '{}'", unknown.0);
            let names = ORACLES.iter().map(|o| o.name).chain([ALL, "none"]);
            let mend = one_of("known are", &unknown.0, names);
            Err(ScenarioError::elsewhere(&origin, problem, mend))
        }
    }
}
