//! `[rules]`: how much each rule counts.

use super::error::{ScenarioError, Source, one_of};
use super::schema::{File, Spanned};
use crate::rules::{ALL, Level, Levels, RULES, Unknown};

fn mend(unknown: &Unknown) -> String {
    match unknown {
        Unknown::Form(_) => "write NAME=LEVEL, for example all=stop".into(),
        Unknown::Rule(name) => {
            let names = RULES.iter().map(|rule| rule.name).chain([ALL]);
            one_of("known are", name, names)
        }
        Unknown::Level(level) => one_of("it is one of", level, Level::ALL.map(Level::name)),
    }
}

/// What the table says, in the order of the file.
pub(super) fn of_file(source: &Source, file: &File) -> Result<Levels, ScenarioError> {
    let mut entries: Vec<(&Spanned<String>, &Spanned<String>)> = file.rules.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let mut levels = Levels::default();
    for (name, level) in entries {
        let error = |at: &Spanned<String>, unknown: Unknown| {
            source.error(at.span(), unknown.to_string(), mend(&unknown))
        };
        let known = Level::from_name(level.get_ref());
        let known = known.ok_or_else(|| error(level, Unknown::Level(level.get_ref().clone())))?;
        let set = levels.set(name.get_ref(), known);
        set.map_err(|unknown| error(name, unknown))?;
    }
    Ok(levels)
}

/// The file's table, then the words of the command line.
pub(super) fn chosen(
    source: &Source,
    file: &File,
    words: &[String],
) -> Result<Levels, ScenarioError> {
    let mut levels = of_file(source, file)?;
    for word in words {
        levels.say(word).map_err(|unknown| {
            let origin = format!("--rule {word}");
            ScenarioError::elsewhere(&origin, unknown.to_string(), mend(&unknown))
        })?;
    }
    Ok(levels)
}
