//! Scripts of keys: what is pressed, and the screen that is to be seen then.
//!
//! A script is a file of `tests/scripts` with a word at the beginning of each line:
//!
//! - `start NAME`: the workbench as it is then, see [`start`]
//! - `keys KEYS`: keys by their names in the help, with spaces between them; from a word that begins
//!   with a colon or a slash on everything is typed as it is, up to a key in angle brackets:
//!   `j j Enter :run port --seed 2<Enter> q`
//! - `reply WORDS`: a worker has news, see [`reply`]
//! - `does TEXT`: what the last key made the event loop do
//! - `shows TEXT`: the text is somewhere on the screen of 160x50; for real runs, whose addresses
//!   another compiler makes differently
//! - `screen WIDTHxHEIGHT`: the lines after it, each after a bar, are what is shown
//! - `# TEXT`: what it is about
//!
//! `UPDATE_EXPECT=1` writes the screens and what is done anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use emu::travel::Traveller;

use crate::workbench::app::Content;
use crate::workbench::commands;
use crate::workbench::guide::look;
use crate::workbench::keys::Key;
use crate::workbench::worker::{CaseChoice, Task, carry_out};

/// What begins a script.
fn start(name: &str) -> App {
    let then = |mut app: App, keys| {
        press(&mut app, keys);
        app
    };
    match name {
        "home" => App::new(Home::of(bundled().unwrap())),
        "files" => App::new(Home::of(sample::rows())),
        "stop" => after(sample::stopped()),
        "trace" => then(after(sample::stopped()), " "),
        "completed" => after(sample::completed()),
        "search" => sample::searching(1),
        "real" => then(super::real::found(""), " "),
        _ => panic!("nothing starts like {name:?}"),
    }
}

/// A worker has news.
fn reply(app: &mut App, words: &str) {
    let (what, rest) = words.split_once(' ').unwrap_or((words, ""));
    let id = app.running.as_ref().map_or(0, |running| running.id);
    let mut news = |news| app.reply(Reply { id, news });
    match (what, rest) {
        ("running", seed) => news(News::Running(seed.parse().unwrap())),
        ("explaining", "") => news(News::Explaining),
        ("done", "stopped") => news(News::Done(Box::new(sample::stopped()))),
        ("done", "completed") => news(News::Done(Box::new(sample::completed()))),
        ("not-found", tries) => news(News::NotFound(tries.parse().unwrap())),
        ("failed", why) => news(News::Failed(why.to_owned())),
        ("search", step) => {
            let id = app.search.as_ref().unwrap().id;
            for news in sample::search_news(step.parse().unwrap()) {
                app.search_news(id, news);
            }
        }
        _ => panic!("nobody replies {words:?}"),
    }
}

/// The keys of a line of a script.
pub fn keys(line: &str) -> Vec<KeyEvent> {
    let by_name =
        |name: &str| Key::event(name).unwrap_or_else(|| panic!("no key is called {name}"));
    let mut keys = Vec::new();
    let mut rest = line.trim_start();
    let mut typing = false;
    while let Some(first) = rest.chars().next() {
        let word = rest.split(' ').next().unwrap_or(rest);
        typing |= word.len() > 1 && [':', '/'].contains(&first);
        if !typing {
            keys.push(by_name(word));
            rest = rest[word.len()..].trim_start();
        } else if let Some((name, after)) = rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
            keys.push(by_name(name));
            rest = after;
            if ["Enter", "Esc"].contains(&name) {
                typing = false;
                rest = rest.trim_start();
            }
        } else {
            keys.push(named(KeyCode::Char(first)));
            rest = &rest[first.len_utf8()..];
        }
    }
    keys
}

/// What an effect is, in words.
fn words(effect: &Effect) -> String {
    match effect {
        Effect::None => "nothing".into(),
        Effect::Quit => "quit".into(),
        Effect::Cancel => "cancel".into(),
        Effect::EndSearch => "end the search".into(),
        Effect::Write(path, Content::Screen) => format!("write the screen to {}", path.display()),
        Effect::Write(path, Content::Text(text)) => {
            let first = text.lines().next().unwrap_or_default();
            format!("write to {}: {first}", path.display())
        }
        Effect::Mouse(on) => format!("mouse {on}"),
        Effect::Refuse(why) => format!("refuse: {why}"),
        Effect::Search(job) => format!("search {}", job.line),
        Effect::Start(job) => {
            let save = job
                .save
                .as_ref()
                .map(|path| format!(", save {}", path.display()));
            format!("{}{}", task(&job.case, &job.task), save.unwrap_or_default())
        }
    }
}

fn task(case: &CaseChoice, task: &Task) -> String {
    let selection = &case.selection;
    let mut words = vec![case.scenario.clone()];
    words.extend(selection.profile.map(|profile| profile.name().to_owned()));
    words.extend(selection.cpus.map(|cpus| format!("{cpus} processors")));
    words.extend(
        selection
            .set
            .iter()
            .map(|(key, value)| format!("{key}={value}")),
    );
    words.extend(selection.faults.clone());
    let case = words.join(" ");
    match task {
        Task::Seeds {
            strategy,
            first,
            tries,
        } => format!("run {case}: {} from {first}, {tries} tries", strategy.name),
        Task::Moves { moves, .. } => format!("run {case}: {moves}"),
        Task::Recorded { best_effort: true } => format!("replay {case} as far as possible"),
        Task::Recorded { best_effort: false } => format!("replay {case}"),
    }
}

/// Does what the guide does, and what a worker does for a fork, while the script waits.
pub fn serve(app: &mut App, travellers: &mut Vec<(u64, Box<Traveller>)>, effect: &Effect) {
    let real = app.trace.as_ref().is_some_and(|t| t.trace.record.is_some());
    if let (true, Effect::Start(job)) = (real, effect) {
        let news = carry_out(job, &|_| true)
            .unwrap()
            .expect("somebody listens");
        app.reply(Reply { id: job.id, news });
    }
    while let Some((id, traveller)) = app.next_traveller() {
        travellers.extend(traveller.map(|traveller| (id, traveller)));
    }
    if let Some(question) = app.question() {
        let mine = travellers.iter_mut().find(|(id, _)| *id == question.trace);
        let (id, traveller) = mine.expect("every trace has a machine");
        app.scene(*id, look(traveller, question));
    }
}

/// Plays a script; the script as it would be right, and what differs from it.
fn play(text: &str, carried_out: &mut BTreeSet<&'static str>) -> (String, Vec<String>) {
    let (mut right, mut wrong) = (String::new(), Vec::new());
    let mut app = start("home");
    let mut effect = Effect::None;
    let mut travellers = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut line = line.to_owned();
        match what {
            "" | "#" => {}
            "start" => {
                carried_out.append(&mut app.carried_out);
                app = start(rest);
            }
            "keys" => {
                for key in keys(rest) {
                    effect = app.key(key);
                    serve(&mut app, &mut travellers, &effect);
                }
            }
            "shows" => {
                let shown = self::text(&app, 160, 50);
                if !shown.contains(rest) {
                    wrong.push(format!("{rest:?} is not on the screen\n{shown}"));
                }
            }
            "reply" => reply(&mut app, rest),
            "does" => {
                let does = words(&effect);
                if does != rest {
                    wrong.push(format!("does {does}\n     not {rest}"));
                }
                line = format!("does {does}");
            }
            "screen" => {
                let (width, height) = rest.split_once('x').expect("WIDTHxHEIGHT");
                let shown = self::text(&app, width.parse().unwrap(), height.parse().unwrap());
                let mut expected = String::new();
                while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                    expected += &format!("{}\n", &row[1..]);
                }
                if shown != expected {
                    wrong.push(format!("the screen is\n{shown}"));
                }
                for row in shown.lines() {
                    line += &format!("\n|{row}");
                }
            }
            _ => panic!("a script has no line like this: {line}"),
        }
        right += &format!("{line}\n");
    }
    carried_out.append(&mut app.carried_out);
    (right, wrong)
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let files = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "keys"));
    files.sort();
    files
}

#[test]
fn every_script_comes_to_its_screens_and_every_command_is_in_one() {
    let mut carried_out = BTreeSet::new();
    for path in scripts() {
        let script = fs::read_to_string(&path).unwrap();
        let (right, wrong) = play(&script, &mut carried_out);
        let (wrong, mend) = match std::env::var_os("UPDATE_EXPECT").is_some() {
            false => (wrong, "UPDATE_EXPECT=1 accepts whole screens and effects"),
            true => {
                fs::write(&path, &right).unwrap();
                // What a screen is to have in it is nobody's to accept but who wrote it.
                let (_, left) = play(&right, &mut carried_out);
                (left, "change the script or what it shows")
            }
        };
        assert!(
            wrong.is_empty(),
            "{}: {} ({mend})",
            path.display(),
            wrong.join("\n")
        );
    }
    let missing: Vec<_> = commands::all()
        .filter(|c| !carried_out.contains(c.id))
        .collect();
    let missing: Vec<_> = missing.iter().map(|command| command.id).collect();
    assert!(
        missing.is_empty(),
        "no script of tests/scripts does: {missing:?}"
    );
}

#[test]
fn keys_are_named_or_typed() {
    let names = |line| {
        let all = keys(line).into_iter();
        all.map(|key| Key::of(key).unwrap().name())
            .collect::<Vec<_>>()
            .join(",")
    };
    assert_eq!(names("j Down Ctrl-P"), "j,Down,Ctrl-P");
    assert_eq!(names(": q Enter"), ":,q,Enter");
    assert_eq!(names(":a b<Enter> j"), ":,a,Space,b,Enter,j");
    assert_eq!(names(":a<Tab><Tab>b<Enter>"), ":,a,Tab,Tab,b,Enter");
    assert_eq!(names("/ab<Esc>"), "/,a,b,Esc");
}

#[test]
fn a_script_that_expects_something_else_is_wrong() {
    let wrong = |script| play(script, &mut BTreeSet::new()).1.len();
    assert_eq!(wrong("keys j\ndoes nothing\n"), 0);
    assert_eq!(wrong("keys q\ndoes nothing\n"), 1);
    assert_eq!(wrong("screen 30x8\n|something else\n"), 1);
}
