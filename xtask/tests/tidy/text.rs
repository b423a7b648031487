//! Form: no traces of the machine that a file was written on, no ragged ends, no endless files.

use crate::{Source, expect_none, sources};

/// Parts of paths that exist on one machine only, and hosts that packages come from. Split, so
/// that this file does not complain about itself.
const FOREIGN: [&str; 9] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("crates", ".io"),
    concat!("static.", "rust-lang.org"),
    concat!("deb.", "debian.org"),
    concat!("py", "pi.org"),
    concat!("npm", "js.org"),
    concat!("proxy.", "golang.org"),
];

/// The longest a source file may be, in lines.
const LONGEST: usize = 700;

/// Files that are one long table.
const TABLES: [&str; 1] = ["emu/src/report/codes.rs"];

#[test]
fn nothing_names_one_machine_or_a_package_host() {
    let foreign = |line: &str| {
        let found = FOREIGN.iter().find(|part| line.contains(*part));
        found.map(|part| format!("`{part}`"))
    };
    let sources = sources();
    // Lock files are cargo's own.
    let own = sources.iter().filter(|source| !source.is("lock"));
    expect_none(own.flat_map(|source| source.complaints(foreign)));
}

#[test]
fn lines_end_where_their_text_ends() {
    let ragged = |line: &str| {
        let trimmed = line.trim_end();
        (trimmed.len() != line.len()).then(|| "space at the end of the line".to_string())
    };
    let sources = sources();
    let written = || sources.iter().filter(|source| is_written_by_hand(source));
    expect_none(written().flat_map(|source| source.complaints(ragged)));
    let unended = written().filter(|s| !s.text.is_empty() && !s.text.ends_with('\n'));
    expect_none(unended.map(|s| format!("{}: no newline at the end", s.path)));
}

fn is_written_by_hand(source: &Source) -> bool {
    ["rs", "toml", "md", "sh"]
        .iter()
        .any(|kind| source.is(kind))
}

#[test]
fn a_source_file_is_one_idea() {
    let sources = sources();
    let long = sources.iter().filter(|source| {
        source.is("rs")
            && source.text.lines().count() > LONGEST
            && !TABLES.contains(&source.path.as_str())
    });
    expect_none(long.map(|source| {
        let lines = source.text.lines().count();
        format!("{}: {lines} lines, more than {LONGEST}", source.path)
    }));
}
