//! Licences of what is linked into the program, which is GPL-2.0-only because Unicorn is.

use crate::{expect_none, root};
use std::collections::BTreeSet;
use std::process::Command;

/// Licences that allow their code to be part of a GPL-2.0-only program. Apache-2.0 alone does not.
const COMPATIBLE: [&str; 14] = [
    "0BSD",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "GPL-2.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn everything_linked_into_the_program_may_be() {
    let linked = linked_packages();
    assert!(linked.len() > 10, "{linked:?}");
    let refused = linked
        .into_iter()
        .filter(|(_, licence)| !is_allowed(licence));
    expect_none(refused.map(|(package, licence)| format!("{package}: {licence}")));
}

/// The packages that the program is linked from, with their licences: its normal dependencies and
/// theirs, but not the macros, which run in the compiler.
fn linked_packages() -> BTreeSet<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--package=irqlab", "--prefix=none"])
        .args(["--edges=normal,no-proc-macro", "--format={p}|{l}"])
        .current_dir(root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once('|'));
    lines
        // A package that was listed before is marked with a star.
        .map(|(package, licence)| {
            (
                package.to_string(),
                licence.trim_end_matches(" (*)").to_string(),
            )
        })
        .collect()
}

/// Whether a licence expression (SPDX, or the older `A/B` form) leaves a compatible choice.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let allowed = any(&mut words);
    allowed && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>) -> bool {
    let mut allowed = all(words);
    while words.next_if_eq(&"OR").is_some() {
        allowed |= all(words);
    }
    allowed
}

fn all(words: &mut Words<'_>) -> bool {
    let mut allowed = one(words);
    while words.next_if_eq(&"AND").is_some() {
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut Words<'_>) -> bool {
    match words.next() {
        Some("(") => any(words) & (words.next() == Some(")")),
        Some(licence) => match words.next_if_eq(&"WITH").and_then(|_| words.next()) {
            Some(exception) => COMPATIBLE.contains(&format!("{licence} WITH {exception}").as_str()),
            None => COMPATIBLE.contains(&licence),
        },
        None => false,
    }
}

#[test]
fn licence_expressions_are_read_with_their_precedence() {
    for allowed in [
        "MIT",
        "MIT OR Apache-2.0",
        "MIT/Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
        "GPL-3.0 AND MIT OR ISC",
    ] {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in [
        "Apache-2.0",
        "MIT AND Apache-2.0",
        "Apache-2.0 AND (MIT OR ISC)",
        "(MIT",
        "MIT ISC",
        "",
        "(no licence)",
    ] {
        assert!(!is_allowed(refused), "{refused}");
    }
}
