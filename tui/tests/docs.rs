//! Every command in the documentation works.
//!
//! In a block of `sh` the lines that call `irqlab` are executed, those of a page in one folder and
//! in their order. They end with status 0, unless a comment says otherwise:
//! `# exits 1, shows STOP 0x000000D1` also says what is on standard output or standard error.
//!
//! The drivers must have been built (`cargo xtask drivers`).

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The documentation, by paths below the root.
fn pages() -> Vec<String> {
    let mut pages = vec![
        "README.md".to_owned(),
        "scenarios/README.md".to_owned(),
        "drivers-src/README.md".to_owned(),
    ];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    pages.sort();
    pages
}

/// The lines of the `sh` blocks of a page, without prompts; a backslash joins a line to the next.
fn shell_lines(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut lines = Vec::new();
    let mut inside = false;
    let mut begun = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside && line == "```sh";
        } else if inside {
            begun += line.trim().trim_start_matches("$ ");
            if let Some(head) = begun.strip_suffix('\\') {
                begun = head.to_owned();
            } else if !begun.is_empty() {
                lines.push(std::mem::take(&mut begun));
            }
        }
    }
    lines
}

/// A command, and what its comment says about it.
#[derive(Debug, PartialEq)]
struct Call {
    words: Vec<String>,
    status: i32,
    shows: Vec<String>,
}

/// Takes a line apart.
fn call(line: &str) -> Call {
    let (command, comment) = line.split_once(" # ").unwrap_or((line, ""));
    assert!(
        !command.contains(['"', '\'', '|', '<', '>', '&', ';', '$']),
        "this is for a shell, and there is none: {line}"
    );
    let mut call = Call {
        words: command.split_whitespace().map(str::to_owned).collect(),
        status: 0,
        shows: Vec::new(),
    };
    for promise in comment.split(", ").filter(|part| !part.is_empty()) {
        match promise.split_once(' ') {
            Some(("exits", status)) => call.status = status.parse().unwrap(),
            Some(("shows", text)) => call.shows.push(text.to_owned()),
            _ => panic!("neither `exits N` nor `shows TEXT`: {line}"),
        }
    }
    call
}

/// The arguments, if this is a call of the program.
fn arguments(words: &[String]) -> Option<&[String]> {
    const RUN: [&str; 4] = ["cargo", "run", "--release", "--"];
    match words {
        [program, rest @ ..] if program == "irqlab" => Some(rest),
        _ if words.starts_with(&RUN.map(str::to_owned)) => words.get(RUN.len()..),
        _ => None,
    }
}

/// Calls the program; what it did not keep of its promises.
fn broken(call: &Call, arguments: &[String], folder: &Path) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_irqlab"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let shown = [output.stdout, output.stderr].map(|s| String::from_utf8(s).unwrap());
    let status = output.status.code();
    if status != Some(call.status) {
        return Some(format!("status {status:?}: {}", shown[1]));
    }
    let missing = |text: &&String| !shown.iter().any(|s| s.contains(text.as_str()));
    let missing = call.shows.iter().find(missing)?;
    Some(format!(
        "does not show {missing}; it begins:\n{:.400}",
        shown[0]
    ))
}

#[test]
fn every_command_in_the_documentation_works() {
    let mut failed = Vec::new();
    for page in pages() {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("docs")
            .join(page.replace('/', "-"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for line in shell_lines(&page) {
            let call = call(&line);
            if let Some(arguments) = arguments(&call.words)
                && let Some(problem) = broken(&call, arguments, &folder)
            {
                failed.push(format!("{page}: {line}\n  {problem}"));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn the_readme_has_no_other_commands_and_they_exist() {
    let cargo = env::var_os("CARGO").unwrap_or("cargo".into());
    let help = Command::new(cargo)
        .args(["xtask", "help"])
        .current_dir(root())
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let names: Vec<&str> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(names.contains(&"demo"), "{help}");
    for page in pages() {
        for line in shell_lines(&page) {
            let words = call(&line).words;
            match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["cargo", "xtask", name, ..] => assert!(names.contains(&name), "{page}: {line}"),
                _ if arguments(&words).is_some() => {}
                _ => assert_ne!(page, "README.md", "not executed by any test: {line}"),
            }
        }
    }
}

#[test]
fn the_pages_that_the_documentation_links_to_exist() {
    for page in pages() {
        let path = root().join(&page);
        let text = fs::read_to_string(&path).unwrap();
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let file = link.split('#').next().unwrap_or(link);
            let target = path.parent().unwrap().join(file);
            assert!(target.exists(), "{page} links to {link}");
        }
    }
}

#[test]
fn lines_are_taken_apart() {
    let found = call("irqlab run x --seed 1   # exits 1, shows STOP 0x0A");
    assert_eq!(found.words.join("|"), "irqlab|run|x|--seed|1");
    assert_eq!(
        (found.status, &found.shows[..]),
        (1, &["STOP 0x0A".to_owned()][..])
    );
    let words = |line: &str| call(line).words;
    assert_eq!(arguments(&words("irqlab run x")), Some(&words("run x")[..]));
    let cargo = words("cargo run --release -- run x");
    assert_eq!(arguments(&cargo), Some(&words("run x")[..]));
    assert_eq!(arguments(&words("cargo run --release")), None);
    assert_eq!(arguments(&words("cargo xtask test --all things")), None);
}
