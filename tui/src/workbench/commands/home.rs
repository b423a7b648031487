//! Commands of the first screen.

use ratatui::crossterm::event::KeyCode;

use super::super::app::View;
use super::super::keys::{Key, letter, named};
use super::{Args, Command, Group, PLAIN};

/// See the module.
pub const GROUP: Group = Group {
    title: "On the first screen",
    commands: COMMANDS,
};

const HERE: &[View] = &[View::Home];

/// How many seeds `find` tries.
const SEEDS: u64 = 500;

const COMMANDS: &[Command] = &[
    Command {
        id: "run-chosen",
        help: "run the chosen seed, or open the recorded run",
        hint: "run",
        keys: &[named(KeyCode::Enter)],
        views: HERE,
        act: |app, _| app.start_chosen(1),
        ..PLAIN
    },
    Command {
        id: "find",
        help: "try seeds from the chosen one on until a run stops",
        hint: "find a stop",
        keys: &[letter('f')],
        views: HERE,
        act: |app, _| app.start_chosen(SEEDS),
        ..PLAIN
    },
    Command {
        id: "explore-chosen",
        help: "search the schedules of the scenario, and watch",
        hint: "explore",
        keys: &[letter('e')],
        views: HERE,
        act: |app, _| app.explore_chosen(),
        ..PLAIN
    },
    Command {
        id: "up",
        help: "go up",
        keys: &[named(KeyCode::Up), letter('k')],
        views: HERE,
        act: |app, _| app.home.go(-1),
        ..PLAIN
    },
    Command {
        id: "down",
        help: "go down",
        hint: "choose",
        keys: &[named(KeyCode::Down), letter('j')],
        views: HERE,
        act: |app, _| app.home.go(1),
        ..PLAIN
    },
    Command {
        id: "turn",
        help: "go from the scenarios to the settings, or back",
        hint: "settings",
        keys: &[named(KeyCode::Tab), named(KeyCode::BackTab)],
        views: HERE,
        act: |app, _| app.home.turn(),
        ..PLAIN
    },
    Command {
        id: "next-value",
        help: "change to the next value",
        hint: "change",
        keys: &[named(KeyCode::Right), letter('l'), letter(' ')],
        views: HERE,
        act: |app, _| app.home.change(1),
        ..PLAIN
    },
    Command {
        id: "previous-value",
        help: "change to the value before",
        keys: &[named(KeyCode::Left), letter('h')],
        views: HERE,
        act: |app, _| app.home.change(-1),
        ..PLAIN
    },
    Command {
        id: "filter",
        help: "show only rows with some letters; Esc shows all",
        hint: "filter",
        keys: &[letter('/')],
        views: HERE,
        args: Some(&Args {
            form: "[TEXT]",
            required: false,
            complete: |_, _| Vec::new(),
        }),
        act: |app, words| app.filter(words),
    },
    Command {
        id: "seed",
        help: "type the seed",
        keys: &[Key::Digit('0')],
        views: HERE,
        args: Some(&Args {
            form: "DIGITS",
            required: true,
            complete: |_, _| Vec::new(),
        }),
        act: |app, words| app.home.type_seed(words),
        ..PLAIN
    },
    Command {
        id: "erase-seed",
        help: "erase the seed's last digit",
        keys: &[named(KeyCode::Backspace)],
        views: HERE,
        act: |app, _| app.home.erase_seed(),
        ..PLAIN
    },
    Command {
        id: "mark",
        help: "mark a recorded run; the second one is compared with it",
        keys: &[letter('m')],
        views: HERE,
        act: |app, _| app.mark_chosen(),
        ..PLAIN
    },
    Command {
        id: "last-trace",
        help: "go back to the last run",
        keys: &[letter('t')],
        views: HERE,
        act: |app, _| app.show_trace(),
        ..PLAIN
    },
    Command {
        id: "last-search",
        help: "go back to the last search",
        keys: &[letter('E')],
        views: HERE,
        act: |app, _| app.show_search(),
        ..PLAIN
    },
    Command {
        id: "cancel",
        help: "stop waiting for a run; end the filter",
        keys: &[named(KeyCode::Esc)],
        views: HERE,
        act: |app, _| app.cancel(),
        ..PLAIN
    },
];
