//! Commands of every view.

use ratatui::crossterm::event::KeyCode;

use super::super::app::{Content, Effect, View};
use super::super::keys::{Key, letter, named};
use super::{ALL, Args, Command, FILE, Group, PLAIN};

/// See the module.
pub const GROUP: Group = Group {
    title: "Everywhere",
    commands: COMMANDS,
};

const COMMANDS: &[Command] = &[
    Command {
        id: "back",
        help: "go back",
        hint: "back",
        keys: &[named(KeyCode::Esc)],
        views: &[View::Search, View::Stop, View::Trace],
        act: |app, _| app.back(),
        ..PLAIN
    },
    Command {
        id: "command",
        help: "type a command; Tab completes it",
        hint: "command",
        keys: &[letter(':')],
        views: ALL,
        act: |app, _| app.open_line(String::new()),
        ..PLAIN
    },
    Command {
        id: "palette",
        help: "look for a command by some letters of it",
        keys: &[Key::Ctrl('p')],
        views: ALL,
        act: |app, _| app.open_palette(),
        ..PLAIN
    },
    Command {
        id: "diff",
        help: "compare the run with a recorded one, or two of them",
        views: ALL,
        args: Some(&Args {
            form: "FILE [FILE]",
            required: true,
            complete: |app, _| app.home.names(true),
        }),
        act: |app, words| app.diff(words),
        ..PLAIN
    },
    Command {
        id: "export",
        help: "write what is shown to a new file, as text",
        views: ALL,
        args: Some(&FILE),
        act: |_, words| match words {
            [file] => Effect::Write(file.into(), Content::Screen),
            _ => Effect::Refuse("mend: write the name of one file".into()),
        },
        ..PLAIN
    },
    Command {
        id: "mouse",
        help: "use the mouse, or leave it to the terminal to select text",
        views: ALL,
        args: Some(&Args {
            form: "on|off",
            required: true,
            complete: |_, before| match before {
                [] => ["on", "off"].map(str::to_owned).to_vec(),
                _ => Vec::new(),
            },
        }),
        act: |app, words| app.set_mouse(words),
        ..PLAIN
    },
    Command {
        id: "help",
        help: "show or leave this help",
        hint: "help",
        keys: &[letter('?'), named(KeyCode::F(1))],
        views: ALL,
        act: |app, _| app.show_help(),
        ..PLAIN
    },
    Command {
        id: "quit",
        help: "leave irqlab",
        hint: "quit",
        keys: &[letter('q'), Key::Ctrl('c')],
        views: ALL,
        act: |_, _| Effect::Quit,
        ..PLAIN
    },
];
