//! The layering: what the machine and the processors' crate must not know or touch.

use crate::{Source, expect_none, sources};
use std::collections::BTreeSet;

/// What would make a run depend on more than its input, or put words on a terminal.
const OUTSIDE: [&str; 13] = [
    "println!",
    "eprintln!",
    "print!",
    "dbg!",
    "std::fs",
    "std::env",
    "std::io::stdout",
    "std::io::stderr",
    "Instant",
    "SystemTime",
    "HashMap",
    "HashSet",
    "RandomState",
];

/// Drivers, and scenarios of the same name, that are called by a word of the field: the word may be
/// used, the file may not be known.
const WORDS: [&str; 9] = [
    "account", "counter", "deadlock", "faults", "port", "reorder", "reserve", "rules", "stack",
];

/// The files of the two lower crates, their tests among them: what is bundled, and the tests of it,
/// are the program's.
fn lower_layers(sources: &[Source]) -> impl Iterator<Item = &Source> {
    let below = |source: &&Source| {
        ["emu/", "isa/"]
            .iter()
            .any(|top| source.path.starts_with(top))
    };
    sources.iter().filter(below)
}

#[test]
fn the_machine_knows_no_scenario_driver_or_article() {
    let sources = sources();
    let mut names: BTreeSet<String> = ["252664", "931322"].map(String::from).into();
    for source in &sources {
        let scenario = source.path.strip_prefix("scenarios/");
        names.extend(scenario.and_then(|file| Some(file.strip_suffix(".toml")?.to_string())));
        if source.path == "drivers-src/drivers.toml" {
            let drivers = source
                .text
                .lines()
                .filter_map(|l| l.strip_prefix("driver = "));
            names.extend(drivers.map(|name| name.trim_matches('"').to_string()));
        }
    }
    for word in WORDS {
        assert!(names.remove(word), "there is no `{word}`");
        names.insert(format!("{word}.sys"));
    }
    assert!(names.len() > 3, "{names:?}");
    let named = |line: &str| {
        let line = line.to_lowercase();
        let found = names.iter().find(|name| has_word(&line, name));
        found.map(|name| format!("`{name}`"))
    };
    expect_none(lower_layers(&sources).flat_map(|source| source.complaints(named)));
}

#[test]
fn a_run_depends_on_its_input_only() {
    let sources = sources();
    let code = lower_layers(&sources).filter(|source| source.is("rs") && !is_test(&source.path));
    let complaints = code.flat_map(|source| {
        let end = source
            .text
            .find("#[cfg(test)]\nmod ")
            .unwrap_or(source.text.len());
        let code = Source {
            path: source.path.clone(),
            text: source.text[..end].to_string(),
        };
        let found: Vec<String> = code.complaints(reaches_outside).collect();
        found
    });
    expect_none(complaints);
}

fn is_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.contains("/tests/")
        || path.contains("/examples/")
        || path.contains("/benches/")
        || name.ends_with("tests.rs")
}

fn reaches_outside(line: &str) -> Option<String> {
    let code = line.trim_start();
    if code.starts_with("//") {
        return None;
    }
    let found = OUTSIDE.iter().find(|word| has_word(code, word));
    found.map(|word| format!("`{word}`"))
}

/// Whether `word` stands in `text` with no letter, digit or underscore on either side.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !part(before.chars().next_back()) && !part(after.chars().next())
    })
}

#[test]
fn the_search_for_words_finds_words() {
    assert!(reaches_outside("    let m = HashMap::new();").is_some());
    assert!(reaches_outside("println!(\"x\")").is_some());
    assert!(reaches_outside("// println!(\"x\")").is_none());
    assert!(reaches_outside("let FxHashMapLike = Instantiated;").is_none());
}
