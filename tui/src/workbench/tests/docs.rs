//! The screens in the documentation are what the workbench shows: a real walk from its start to
//! the reasons of both founding crashes, on the bundled drivers.
//!
//! `<!-- screen: NAME -->` before a block of text says which screen it is; `UPDATE_EXPECT=1`
//! writes the blocks anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use crate::index::index;
use crate::workbench::worker::Worker;

use super::*;

/// A stretch of the walk: the keys, and the name of the screen they lead to.
struct Step {
    keys: &'static str,
    name: &'static str,
}

const fn step(keys: &'static str, name: &'static str) -> Step {
    Step { keys, name }
}

/// The walk, from the start of the workbench on. Each step begins where the one before ended.
const WALK: &[Step] = &[
    step("", "home"),
    step("f", "kb931322-stop"),
    step("<down><down>", "kb931322-stop-end"),
    step(" ", "kb931322-trace"),
    step("kk", "kb931322-free"),
    step("jjz", "kb931322-why"),
    step("5", "kb931322-stack"),
    step("z:pane events<enter>kkkkk", "kb931322-events"),
    step("GSSS8", "kb931322-choice"),
    step("G9", "kb931322-pool"),
    step("DDf", "kb931322-fork"),
    step("<enter><esc><esc>", "home-again"),
    step("<down><down><tab><right>", "home-alpha"),
    step("f", "q252664-stop"),
    step(" ", "q252664-trace"),
    step("z", "q252664-why"),
];

/// Walks; every screen with its name.
fn walk() -> Vec<(&'static str, String)> {
    let mut app = workbench();
    let mut travellers = Vec::new();
    WALK.iter()
        .map(|step| {
            run_keys(&mut app, step.keys);
            scripts::serve(&mut app, &mut travellers, &Effect::None);
            // A fork says how it ended.
            let says = step.name.ends_with("-fork");
            assert_eq!(
                app.message.is_some(),
                says,
                "at {}: {:?}",
                step.name,
                app.message
            );
            (step.name, text(&app, 80, 24))
        })
        .collect()
}

/// Presses keys as [`press`] does, and runs what they start.
fn run_keys(app: &mut App, keys: &str) {
    for key in keys.split_inclusive(['f', '>']) {
        match key.strip_suffix('f') {
            None => press(app, key),
            Some(before) => {
                press(app, before);
                carry_out(app, KeyCode::Char('f'));
            }
        }
    }
}

/// Presses a key that starts a run, and waits for its end.
fn carry_out(app: &mut App, key: KeyCode) {
    let Effect::Start(job) = app.key(named(key)) else {
        panic!("nothing starts: {:?}", app.message);
    };
    let (sender, replies) = channel();
    Worker::new(move |reply| sender.send(reply).is_ok()).start(*job);
    while app.running.is_some() {
        app.reply(replies.recv().unwrap());
    }
}

/// The pages of the documentation.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md")];
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        pages.push(entry.unwrap().path());
    }
    pages.retain(|page| page.extension().is_some_and(|kind| kind == "md"));
    pages.sort();
    pages
}

const MARK: &str = "<!-- screen: ";
const OPEN: &str = " -->\n```text\n";
const CLOSE: &str = "```\n";

/// The page with the screens put into its blocks; each name found is added to `used`.
fn with_screens(page: &str, screens: &[(&'static str, String)], used: &mut Vec<String>) -> String {
    let mut parts = page.split(MARK);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(OPEN).expect("a block of text after a mark");
        let (_, after) = rest.split_once(CLOSE).expect("an end of the block");
        let screen = screens.iter().find(|(known, _)| *known == name);
        let (_, screen) = screen.unwrap_or_else(|| panic!("no screen is called {name}"));
        used.push(name.to_owned());
        result += &[MARK, name, OPEN, screen, CLOSE, after].concat();
    }
    result
}

/// Other drivers crash at other addresses and under other seeds: what the documentation shows is
/// the build by the pinned compiler.
pub fn drivers_are_those_of_the_documentation() -> bool {
    let pinned = include_str!("../../../../rust-toolchain.toml");
    let channel = pinned.split('"').nth(1).expect("a channel in quotes");
    index()
        .unwrap()
        .compiler
        .starts_with(&format!("rustc {channel} "))
}

#[test]
fn the_screens_of_the_documentation_are_those_of_the_workbench() {
    let screens = walk();
    if !drivers_are_those_of_the_documentation() {
        // Both crashes have been walked to; only their details are other ones.
        return;
    }
    let mut used = Vec::new();
    for page in pages() {
        let found = fs::read_to_string(&page).unwrap();
        let expected = with_screens(&found, &screens, &mut used);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&page, &expected).unwrap();
        } else if let Some((is, shown)) = found.lines().zip(expected.lines()).find(|(a, b)| a != b)
        {
            panic!(
                "{}: UPDATE_EXPECT=1 accepts what is shown now; the first difference:\n\
                 documented: {is}\n\
                 shown now:  {shown}",
                page.display()
            );
        } else {
            assert_eq!(found, expected, "{}", page.display());
        }
    }
    for (name, _) in screens {
        assert!(used.iter().any(|u| u == name), "no page shows {name}");
    }
}

#[test]
fn blocks_are_replaced_and_nothing_else() {
    let page = "a\n<!-- screen: one -->\n```text\nold\n```\nb\n";
    let screens = [("one", "new\nlines\n".to_owned())];
    let mut used = Vec::new();
    assert_eq!(
        with_screens(page, &screens, &mut used),
        "a\n<!-- screen: one -->\n```text\nnew\nlines\n```\nb\n"
    );
    assert_eq!(used, ["one"]);
    assert_eq!(
        with_screens("no screens\n", &screens, &mut used),
        "no screens\n"
    );
}
