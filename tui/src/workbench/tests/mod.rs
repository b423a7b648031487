//! Text snapshots of the screens, and scripts of keys.
//!
//! The expected screens lie in `tests/screens`, the scripts in `tests/scripts`; `UPDATE_EXPECT=1`
//! writes what they expect anew.

mod docs;
mod frame;
mod keys_page;
mod looks;
mod mouse;
mod panes;
mod panics;
#[cfg(unix)]
#[path = "../../../tests/terminal/pty.rs"]
mod pty;
mod real;
mod sample;
mod scripts;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use emu::personality::Personality;
use emu::report::screen;
use isa::Profile;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{App, Effect, View};
use super::home::{Home, bundled};
use super::keys::Key;
use super::theme::{Depth, Theme};
use super::trace::Trace;
use super::view;
use super::worker::{News, Reply};

/// The workbench with the NAT router chosen.
fn workbench() -> App {
    let mut app = App::new(Home::of(bundled().unwrap()));
    let mut names = crate::catalogue::BUNDLED.iter().map(|(name, _)| *name);
    let at = names.position(|name| name == "kb931322").unwrap();
    press(&mut app, &"<down>".repeat(at));
    app
}

/// The workbench after a run that ended like this.
fn after(trace: Trace) -> App {
    let mut app = workbench();
    let id = match app.key(named(KeyCode::Enter)) {
        Effect::Start(job) => job.id,
        _ => panic!("Enter starts a run"),
    };
    app.reply(Reply {
        id,
        news: News::Done(Box::new(trace)),
    });
    app
}

fn named(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// Presses keys: single characters, or names in angle brackets.
fn press(app: &mut App, keys: &str) {
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (code, length) = match rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
            Some((name, _)) => (by_name(name), name.len() + 2),
            None => (KeyCode::Char(c), c.len_utf8()),
        };
        rest = &rest[length..];
        app.key(named(code));
    }
}

fn by_name(name: &str) -> KeyCode {
    match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "backspace" => KeyCode::Backspace,
        _ => panic!("no key {name}"),
    }
}

fn terminal(app: &App, width: u16, height: u16, depth: Depth) -> Terminal<TestBackend> {
    drawn(app, width, height, &Theme::new(depth, false))
}

fn drawn(app: &App, width: u16, height: u16, theme: &Theme) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| view::draw(app, theme, frame))
        .unwrap();
    terminal
}

/// The screen as text.
fn text(app: &App, width: u16, height: u16) -> String {
    text_of(&terminal(app, width, height, Depth::None))
}

fn text_of(terminal: &Terminal<TestBackend>) -> String {
    let (width, height) = terminal.backend().buffer().area.as_size().into();
    let buffer = terminal.backend().buffer();
    let row = |y| {
        (0..width)
            .map(|x| buffer[(x, y)].symbol())
            .collect::<String>()
    };
    (0..height)
        .map(|y| row(y).trim_end().to_owned() + "\n")
        .collect()
}

#[track_caller]
fn expect_screen(name: &str, app: &App, width: u16, height: u16) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens");
    let path = folder.join(format!("{name}-{width}x{height}.txt"));
    let found = text(app, width, height);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&path, &found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} differs; UPDATE_EXPECT=1 accepts what is shown now:\n{found}",
        path.display()
    );
}

/// The sizes in which every screen is kept.
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (60, 15)];

#[track_caller]
fn expect_screens(name: &str, app: &App) {
    for (width, height) in SIZES {
        expect_screen(name, app, width, height);
    }
}

#[test]
fn home() {
    let mut app = workbench();
    expect_screens("home", &app);
    press(&mut app, "<tab><down><down><down>");
    expect_screens("home-field", &app);
    app.message = Some("what is wrong\nmend: what mends it".into());
    expect_screen("home-message", &app, 80, 24);
}

#[test]
fn a_run_in_progress() {
    let mut app = workbench();
    press(&mut app, "<enter>");
    app.reply(Reply {
        id: 1,
        news: News::Running(3),
    });
    expect_screen("running", &app, 80, 24);
}

#[test]
fn stop_screens() {
    let mut app = after(sample::stopped());
    assert_eq!(app.view, View::Stop);
    expect_screens("stop", &app);
    let facts = sample::facts(Profile::Alpha, Personality::Nt4);
    let trace = &mut app.trace.as_mut().unwrap().trace;
    Arc::get_mut(trace).unwrap().report.screen = Some(screen::render(&facts));
    expect_screen("stop-note", &app, 80, 24);
}

#[test]
fn traces() {
    let panes = [("why", "3"), ("stacks", "4"), ("events", "5"), ("run", "6")];
    for (name, key) in panes {
        let mut app = after(sample::stopped());
        press(&mut app, &format!(" {key}"));
        expect_screens(&format!("trace-{name}"), &app);
    }
    let mut app = after(sample::stopped());
    press(&mut app, " 1");
    expect_screen("trace-timeline", &app, 60, 15);
    press(&mut app, "2");
    expect_screen("trace-code", &app, 60, 15);
    press(&mut app, "1---");
    expect_screen("trace-far", &app, 80, 24);
    expect_screens("trace-empty", &after(sample::completed()));
}

#[test]
fn a_deadlock_is_told_with_its_waits() {
    let mut app = after(sample::deadlocked());
    press(&mut app, ":pane run<enter>z");
    let screen = text(&app, 120, 36);
    let sentence = "stream answers, step 3, waits until go is signalled";
    // In the verdict, and in the list.
    assert_eq!(screen.matches(sentence).count(), 2, "{screen}");
}

#[test]
fn helps() {
    let mut app = workbench();
    press(&mut app, "?");
    expect_screen("help-home", &app, 80, 24);
    let mut app = after(sample::stopped());
    press(&mut app, " ?");
    expect_screen("help-trace", &app, 80, 24);
    expect_screen("help-trace", &app, 120, 60);
}

/// Where the cursor of the trace is after the keys: the position and the core.
fn cursor(keys: &str) -> String {
    let mut app = after(sample::stopped());
    press(&mut app, " ");
    press(&mut app, keys);
    let state = app.trace.unwrap();
    let moment = state.moment().unwrap();
    format!("{} c{} {}", moment.at, moment.core, moment.text)
}

#[test]
fn keys_move_the_cursor() {
    let cases = [
        ("", "30:03 c0 STOP 0x000000D1"),
        ("E", "30:03 c0 read of Smpl +0x10 fails"),
        ("e", "30:03 c0 STOP 0x000000D1"),
        ("Ee", "30:03 c0 STOP 0x000000D1"),
        ("<home>", "1:00 c0 choice 1 of 2: core 0 goes on"),
        ("<home>G", "30:03 c0 STOP 0x000000D1"),
        ("<home>d", "3:00 c0 choice 1 of 2: core 0 goes on"),
        ("<home>dD", "1:00 c0 choice 1 of 2: core 0 goes on"),
        // From the last event of core 0 over those of core 1.
        ("E,,", "29:07 c0 ExFreePool(0x0)"),
        ("<home>.", "1:04 c0 takes lock 98024010"),
        // The list of reasons: from the last step up.
        ("k", "21:03 c1 free  Smpl 0x40"),
        ("kj", "30:03 c0 STOP 0x000000D1"),
        // The list of events.
        (":pane events<enter>k", "30:03 c0 read of Smpl +0x10 fails"),
    ];
    for (keys, expected) in cases {
        assert_eq!(cursor(keys), expected, "after {keys:?}");
    }
}

/// What would be run after the keys, as a command line.
fn chosen(keys: &str) -> String {
    let mut app = workbench();
    press(&mut app, keys);
    app.home.entry().unwrap().command_line()
}

#[test]
fn keys_change_what_is_run() {
    let cases = [
        ("", "irqlab run kb931322 --profile amd64 --seed 1"),
        ("<down><down>", "irqlab run q252664 --profile i386 --seed 1"),
        (
            "<down><down><tab><right>",
            "irqlab run q252664 --profile alpha --seed 1",
        ),
        (
            "<down><down><tab><left><left>",
            "irqlab run q252664 --profile i386 --seed 1",
        ),
        (
            "<right><right>",
            "irqlab run kb931322 --profile i386 --seed 1",
        ),
        (
            "<right><up><down>",
            "irqlab run port --profile amd64 --seed 1",
        ),
        ("42", "irqlab run kb931322 --profile amd64 --seed 42"),
        (
            "42<backspace><right>",
            "irqlab run kb931322 --profile amd64 --seed 5",
        ),
        (
            "<tab>jj<right>",
            "irqlab run kb931322 --profile amd64 --cpus 3 --seed 1",
        ),
        (
            "<tab>jjj<right>",
            "irqlab run kb931322 --profile amd64 --set nat=false --seed 1",
        ),
    ];
    for (keys, expected) in cases {
        assert_eq!(chosen(keys), expected, "after {keys:?}");
    }
}

#[test]
fn escape_leaves_one_level_and_forgets_a_run() {
    let mut app = after(sample::stopped());
    press(&mut app, "<esc>");
    assert_eq!(app.view, View::Trace);
    press(&mut app, "<esc>");
    assert_eq!(app.view, View::Home);
    press(&mut app, "t");
    assert_eq!(app.view, View::Trace);
    let mut app = workbench();
    press(&mut app, "<enter><esc>");
    app.reply(Reply {
        id: 1,
        news: News::Done(Box::new(sample::stopped())),
    });
    assert_eq!(app.view, View::Home, "nobody waits for it any more");
    press(&mut app, "<enter>");
    app.reply(Reply {
        id: 1,
        news: News::Failed("old".into()),
    });
    assert!(app.running.is_some(), "the news is of an older job");
}

#[test]
fn control_c_leaves_from_everywhere() {
    for keys in ["", " ", " ?"] {
        let mut app = after(sample::stopped());
        press(&mut app, keys);
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert!(matches!(app.key(control_c), Effect::Quit), "{keys:?}");
    }
}

#[test]
fn no_size_and_no_key_is_too_much() {
    let keys = [
        "sSdD.,gG",
        "<down>",
        "<up><right><left>",
        "<tab>",
        "z+-----",
        "5kkk",
        "3kkkjjj",
        "6jjj",
        "4jjj",
        "1z2b",
        "<down><down>",
        " ?j",
        "<esc><esc><esc>",
        "<end>7<backspace>",
    ];
    let overlays = ["", "?", ":zo<tab>", ":run kb931322 --set <tab>", "/x"];
    for (step, keys) in (1..=4).flat_map(|step| overlays.map(|keys| (step, keys))) {
        let mut app = sample::searching(step);
        press(&mut app, keys);
        app.key(Key::event("Ctrl-P").unwrap());
        for width in 1..130 {
            text(&app, width, 1 + (width * 7) % 45);
        }
    }
    for trace in [sample::stopped as fn() -> Trace, sample::completed] {
        let mut app = after(trace());
        for (i, keys) in keys.iter().enumerate() {
            press(&mut app, keys);
            let (width, height) = (1 + (i as u16 * 17) % 130, 1 + (i as u16 * 13) % 50);
            text(&app, width, height);
            text(&app, 80, 24);
        }
        for width in 1..130 {
            text(&app, width, 1 + width % 45);
        }
    }
}
