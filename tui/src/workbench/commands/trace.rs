//! Commands of the trace.

use ratatui::crossterm::event::KeyCode;

use super::super::app::View;
use super::super::keys::{Key, letter, named};
use super::super::trace::{Axis, Pane};
use super::{Args, Command, Group, PLAIN};

/// See the module.
pub const GROUP: Group = Group {
    title: "In the trace",
    commands: COMMANDS,
};

const HERE: &[View] = &[View::Trace];

const COMMANDS: &[Command] = &[
    Command {
        id: "next-event",
        help: "go to the next event",
        hint: "event",
        keys: &[letter('s'), named(KeyCode::Right)],
        views: HERE,
        act: |app, _| app.seek(Axis::Event, 1),
        ..PLAIN
    },
    Command {
        id: "previous-event",
        help: "go to the event before",
        keys: &[letter('S'), named(KeyCode::Left)],
        views: HERE,
        act: |app, _| app.seek(Axis::Event, -1),
        ..PLAIN
    },
    Command {
        id: "next-choice",
        help: "go to the next choice of the schedule",
        hint: "choice",
        keys: &[letter('d')],
        views: HERE,
        act: |app, _| app.seek(Axis::Choice, 1),
        ..PLAIN
    },
    Command {
        id: "previous-choice",
        help: "go to the choice before",
        keys: &[letter('D')],
        views: HERE,
        act: |app, _| app.seek(Axis::Choice, -1),
        ..PLAIN
    },
    Command {
        id: "next-on-core",
        help: "go to the next event of the same core",
        hint: "same core",
        keys: &[letter('.')],
        views: HERE,
        act: |app, _| app.seek(Axis::Core, 1),
        ..PLAIN
    },
    Command {
        id: "previous-on-core",
        help: "go to the event before of the same core",
        keys: &[letter(',')],
        views: HERE,
        act: |app, _| app.seek(Axis::Core, -1),
        ..PLAIN
    },
    Command {
        id: "start",
        help: "go to the first event",
        keys: &[named(KeyCode::Home), letter('g')],
        views: HERE,
        act: |app, _| app.seek(Axis::End, -1),
        ..PLAIN
    },
    Command {
        id: "end",
        help: "go to the last event",
        keys: &[named(KeyCode::End), letter('G')],
        views: HERE,
        act: |app, _| app.seek(Axis::End, 1),
        ..PLAIN
    },
    Command {
        id: "next-row",
        help: "go down in the pane; on why and events, to that moment",
        hint: "move",
        keys: &[named(KeyCode::Down), letter('j')],
        views: HERE,
        act: |app, _| app.move_in_pane(1),
        ..PLAIN
    },
    Command {
        id: "previous-row",
        help: "go up in the pane",
        keys: &[named(KeyCode::Up), letter('k')],
        views: HERE,
        act: |app, _| app.move_in_pane(-1),
        ..PLAIN
    },
    Command {
        id: "next-page",
        help: "go down ten rows in the pane",
        keys: &[named(KeyCode::PageDown)],
        views: HERE,
        act: |app, _| app.move_in_pane(10),
        ..PLAIN
    },
    Command {
        id: "previous-page",
        help: "go up ten rows in the pane",
        keys: &[named(KeyCode::PageUp)],
        views: HERE,
        act: |app, _| app.move_in_pane(-10),
        ..PLAIN
    },
    Command {
        id: "next-pane",
        help: "give the next pane the focus",
        hint: "pane",
        keys: &[named(KeyCode::Tab)],
        views: HERE,
        act: |app, _| app.turn_pane(1),
        ..PLAIN
    },
    Command {
        id: "previous-pane",
        help: "give the pane before the focus",
        keys: &[named(KeyCode::BackTab)],
        views: HERE,
        act: |app, _| app.turn_pane(-1),
        ..PLAIN
    },
    Command {
        id: "pane",
        help: "give the pane of this number the focus",
        keys: &[Key::Digit('0')],
        views: HERE,
        args: Some(&Args {
            form: "NUMBER",
            required: true,
            complete: |_, _| Pane::ALL.map(|pane| pane.number().to_string()).to_vec(),
        }),
        act: |app, words| app.focus_numbered(words),
        ..PLAIN
    },
    Command {
        id: "zoom-pane",
        help: "show the pane alone, or all panes again",
        hint: "zoom",
        keys: &[letter('z')],
        views: HERE,
        act: |app, _| app.zoom_pane(),
        ..PLAIN
    },
    Command {
        id: "zoom-in",
        help: "show fewer events in a cell of the timeline",
        keys: &[letter('+')],
        views: HERE,
        act: |app, _| app.zoom_time(1),
        ..PLAIN
    },
    Command {
        id: "zoom-out",
        help: "show more events in a cell of the timeline",
        keys: &[letter('-')],
        views: HERE,
        act: |app, _| app.zoom_time(-1),
        ..PLAIN
    },
    Command {
        id: "screen",
        help: "show the stop screen again",
        keys: &[letter('b')],
        views: HERE,
        act: |app, _| app.show_screen(),
        ..PLAIN
    },
];
