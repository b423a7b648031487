//! Commands of the stop screen.

use ratatui::crossterm::event::KeyCode;

use super::super::app::View;
use super::super::keys::named;
use super::{Command, Group, PLAIN};

/// See the module.
pub const GROUP: Group = Group {
    title: "On the stop screen",
    commands: COMMANDS,
};

const HERE: &[View] = &[View::Stop];

const COMMANDS: &[Command] = &[
    Command {
        id: "screen-down",
        help: "show the lower part of a screen that is too tall",
        keys: &[named(KeyCode::Down), named(KeyCode::PageDown)],
        views: HERE,
        act: |app, _| app.scroll_screen(1),
        ..PLAIN
    },
    Command {
        id: "screen-up",
        help: "show its upper part",
        keys: &[named(KeyCode::Up), named(KeyCode::PageUp)],
        views: HERE,
        act: |app, _| app.scroll_screen(-1),
        ..PLAIN
    },
    Command {
        id: "trace",
        help: "go on to the trace; so does any other key",
        keys: &[named(KeyCode::Enter)],
        views: HERE,
        act: |app, _| app.show_trace(),
        ..PLAIN
    },
];
