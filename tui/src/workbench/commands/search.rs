//! Commands of a search.

use ratatui::crossterm::event::KeyCode;

use super::super::app::View;
use super::super::keys::{letter, named};
use super::{Command, Group, PLAIN};

/// See the module.
pub const GROUP: Group = Group {
    title: "In a search",
    commands: COMMANDS,
};

const HERE: &[View] = &[View::Search];

const COMMANDS: &[Command] = &[
    Command {
        id: "open",
        help: "open the selected run: the shrunk one, if it has been",
        hint: "open",
        keys: &[named(KeyCode::Enter)],
        views: HERE,
        act: |app, _| app.open_group(),
        ..PLAIN
    },
    Command {
        id: "next-group",
        help: "go to the next way to end",
        hint: "choose",
        keys: &[named(KeyCode::Down), letter('j')],
        views: HERE,
        act: |app, _| app.select_group(1),
        ..PLAIN
    },
    Command {
        id: "previous-group",
        help: "go to the way to end before",
        keys: &[named(KeyCode::Up), letter('k')],
        views: HERE,
        act: |app, _| app.select_group(-1),
        ..PLAIN
    },
    Command {
        id: "next-run",
        help: "go to the next run that ended so",
        keys: &[named(KeyCode::Right), letter('l')],
        views: HERE,
        act: |app, _| app.select_run(1),
        ..PLAIN
    },
    Command {
        id: "previous-run",
        help: "go to the run before that ended so",
        keys: &[named(KeyCode::Left), letter('h')],
        views: HERE,
        act: |app, _| app.select_run(-1),
        ..PLAIN
    },
    Command {
        id: "end-search",
        help: "end the search; once more: do not shrink what it found",
        hint: "end",
        keys: &[letter('x')],
        views: HERE,
        act: |app, _| app.end_search(),
        ..PLAIN
    },
];
