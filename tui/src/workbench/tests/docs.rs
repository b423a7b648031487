//! The screens in the documentation are what the workbench shows: a real walk from its start to
//! the reasons of both founding crashes, on the bundled drivers.
//!
//! `<!-- screen: NAME -->` before a block of text says which screen it is; `UPDATE_EXPECT=1`
//! writes the blocks anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use emu::travel::Traveller;

use crate::index::index;
use crate::workbench::worker::Worker;

use super::*;

/// A stretch of the walk: the keys, and the name of the screen they lead to.
struct Step {
    keys: &'static str,
    name: &'static str,
    size: (u16, u16),
}

const fn step(keys: &'static str, name: &'static str) -> Step {
    let size = (80, 24);
    Step { keys, name, size }
}

/// The same on a terminal that is wide.
const fn wide(keys: &'static str, name: &'static str) -> Step {
    let size = (132, 40);
    Step { keys, name, size }
}

/// The walk, from the start of the workbench on. Each step begins where the one before ended.
const WALK: &[Step] = &[
    step("", "start"),
    step("/kb93<Enter>", "kb931322-home"),
    step("f", "kb931322-stop"),
    step("Down Down", "kb931322-stop-end"),
    step("Space", "kb931322-trace"),
    step("k k", "kb931322-free"),
    step("4", "kb931322-cores"),
    step("3 k", "kb931322-decision"),
    step("f", "kb931322-saved"),
    step("Enter :pane diff<Enter> z", "kb931322-diff"),
    step("z Esc j j j z", "kb931322-why"),
    wide("z", "kb931322-wide"),
    step("5 z", "kb931322-stack"),
    step("z 9", "kb931322-pool"),
    step(":pane events<Enter> k k k", "kb931322-events"),
    step("G 6 S S", "kb931322-back"),
    step("Esc Esc /q25<Enter> Tab Right", "q252664-home"),
    step("f", "q252664-stop"),
    step("Space", "q252664-trace"),
    step("z", "q252664-why"),
    step("z k k k", "q252664-write"),
    step("k k", "q252664-decision"),
    step("f", "q252664-saved"),
    step("Enter Esc Esc Left f Space", "q252664-i386"),
];

/// Walks; every screen with its name.
fn walk() -> Vec<(&'static str, String)> {
    let mut app = App::new(Home::of(bundled().unwrap()));
    let mut travellers = Vec::new();
    WALK.iter()
        .map(|step| {
            run_keys(&mut app, &mut travellers, step.keys);
            // A fork says how it ended.
            let says = step.name.ends_with("-saved");
            assert_eq!(
                app.message.is_some(),
                says,
                "at {}: {:?}",
                step.name,
                app.message
            );
            let (width, height) = step.size;
            (step.name, text(&app, width, height))
        })
        .collect()
}

/// Presses keys, and runs what they start until it has ended.
fn run_keys(app: &mut App, travellers: &mut Vec<(u64, Box<Traveller>)>, line: &str) {
    for key in scripts::keys(line) {
        if let Effect::Start(job) = app.key(key) {
            let (sender, replies) = channel();
            Worker::new(move |reply| sender.send(reply).is_ok()).start(*job);
            while app.running.is_some() {
                app.reply(replies.recv().unwrap());
            }
        }
        scripts::serve(app, travellers, &Effect::None);
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
