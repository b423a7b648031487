//! Every action as a command: id, help, keys and handler. The hint line and the help come from
//! this list, so a key is never named twice.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{App, Effect, View};
use super::trace::{Axis, Pane};

/// An action of the user.
pub struct Command {
    /// Its name, for keymaps and scripts.
    pub id: &'static str,
    /// What it does, for the help.
    pub help: &'static str,
    /// The same in a word or two for the hint line; empty if it is not shown there.
    pub hint: &'static str,
    /// Its keys; the first is the one that is shown.
    pub keys: &'static [Key],
    /// Where it works.
    pub views: &'static [View],
    /// Carries it out.
    pub act: fn(&mut App, Key) -> Effect,
}

/// A key that a command has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A key without a modifier; letters carry their case.
    Plain(KeyCode),
    /// A letter with Ctrl.
    Ctrl(char),
    /// Any digit.
    Digit(char),
}

const fn letter(c: char) -> Key {
    Key::Plain(KeyCode::Char(c))
}

const fn named(code: KeyCode) -> Key {
    Key::Plain(code)
}

impl Key {
    /// The key of a terminal's event.
    pub fn of(event: KeyEvent) -> Option<Key> {
        let modifiers = event.modifiers.difference(KeyModifiers::SHIFT);
        match event.code {
            KeyCode::Char(c) if modifiers == KeyModifiers::CONTROL => {
                Some(Key::Ctrl(c.to_ascii_lowercase()))
            }
            _ if !modifiers.is_empty() => None,
            KeyCode::Char(c) if c.is_ascii_digit() => Some(Key::Digit(c)),
            code => Some(Key::Plain(code)),
        }
    }

    /// Whether the key that was pressed is this one.
    fn matches(self, pressed: Key) -> bool {
        match (self, pressed) {
            (Key::Digit(_), Key::Digit(_)) => true,
            _ => self == pressed,
        }
    }

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Key::Digit(_) => "0-9".into(),
            Key::Ctrl(c) => format!("Ctrl-{}", c.to_ascii_uppercase()),
            Key::Plain(code) => match code {
                KeyCode::Char(' ') => "Space".into(),
                KeyCode::Char(c) => c.to_string(),
                KeyCode::Up => "↑".into(),
                KeyCode::Down => "↓".into(),
                KeyCode::Left => "←".into(),
                KeyCode::Right => "→".into(),
                KeyCode::PageUp => "PgUp".into(),
                KeyCode::PageDown => "PgDn".into(),
                KeyCode::BackTab => "Shift-Tab".into(),
                KeyCode::F(n) => format!("F{n}"),
                other => format!("{other:?}"),
            },
        }
    }
}

const HOME: &[View] = &[View::Home];
const STOP: &[View] = &[View::Stop];
const TRACE: &[View] = &[View::Trace];
const ALL: &[View] = &[View::Home, View::Stop, View::Trace];

/// The commands, in the order of the help.
pub const COMMANDS: &[Command] = &[
    // Choosing.
    Command {
        id: "run",
        help: "run the chosen seed",
        hint: "run",
        keys: &[named(KeyCode::Enter)],
        views: HOME,
        act: |app, _| app.start(1),
    },
    Command {
        id: "find",
        help: "try seeds, from the chosen one on, until a run does not complete",
        hint: "find a failing seed",
        keys: &[letter('f')],
        views: HOME,
        act: |app, _| app.start(SEARCH),
    },
    Command {
        id: "up",
        help: "go up",
        hint: "",
        keys: &[named(KeyCode::Up), letter('k')],
        views: HOME,
        act: |app, _| app.home.go(-1),
    },
    Command {
        id: "down",
        help: "go down",
        hint: "choose",
        keys: &[named(KeyCode::Down), letter('j')],
        views: HOME,
        act: |app, _| app.home.go(1),
    },
    Command {
        id: "turn",
        help: "go from the scenarios to the settings, or back",
        hint: "settings",
        keys: &[named(KeyCode::Tab), named(KeyCode::BackTab)],
        views: HOME,
        act: |app, _| app.home.turn(),
    },
    Command {
        id: "next-value",
        help: "change to the next value",
        hint: "change",
        keys: &[named(KeyCode::Right), letter('l'), letter(' ')],
        views: HOME,
        act: |app, _| app.home.change(1),
    },
    Command {
        id: "previous-value",
        help: "change to the value before",
        hint: "",
        keys: &[named(KeyCode::Left), letter('h')],
        views: HOME,
        act: |app, _| app.home.change(-1),
    },
    Command {
        id: "type-seed",
        help: "type the seed",
        hint: "",
        keys: &[Key::Digit('0')],
        views: HOME,
        act: |app, key| app.home.type_seed(key),
    },
    Command {
        id: "erase-seed",
        help: "erase the seed's last digit",
        hint: "",
        keys: &[named(KeyCode::Backspace)],
        views: HOME,
        act: |app, _| app.home.erase_seed(),
    },
    Command {
        id: "last-trace",
        help: "go back to the last run",
        hint: "",
        keys: &[letter('t')],
        views: HOME,
        act: |app, _| app.show_trace(),
    },
    Command {
        id: "cancel",
        help: "stop waiting for a run",
        hint: "",
        keys: &[named(KeyCode::Esc)],
        views: HOME,
        act: |app, _| app.cancel(),
    },
    // The stop screen.
    Command {
        id: "screen-down",
        help: "show the lower part of a screen that is taller than the terminal",
        hint: "",
        keys: &[named(KeyCode::Down), named(KeyCode::PageDown)],
        views: STOP,
        act: |app, _| app.scroll_screen(1),
    },
    Command {
        id: "screen-up",
        help: "show its upper part",
        hint: "",
        keys: &[named(KeyCode::Up), named(KeyCode::PageUp)],
        views: STOP,
        act: |app, _| app.scroll_screen(-1),
    },
    // The trace.
    Command {
        id: "next-event",
        help: "go to the next event",
        hint: "event",
        keys: &[letter('s'), named(KeyCode::Right)],
        views: TRACE,
        act: |app, _| app.seek(Axis::Event, 1),
    },
    Command {
        id: "previous-event",
        help: "go to the event before",
        hint: "",
        keys: &[letter('S'), named(KeyCode::Left)],
        views: TRACE,
        act: |app, _| app.seek(Axis::Event, -1),
    },
    Command {
        id: "next-choice",
        help: "go to the next choice of the schedule",
        hint: "choice",
        keys: &[letter('d')],
        views: TRACE,
        act: |app, _| app.seek(Axis::Choice, 1),
    },
    Command {
        id: "previous-choice",
        help: "go to the choice before",
        hint: "",
        keys: &[letter('D')],
        views: TRACE,
        act: |app, _| app.seek(Axis::Choice, -1),
    },
    Command {
        id: "next-on-core",
        help: "go to the next event of the same core",
        hint: "same core",
        keys: &[letter('.')],
        views: TRACE,
        act: |app, _| app.seek(Axis::Core, 1),
    },
    Command {
        id: "previous-on-core",
        help: "go to the event before of the same core",
        hint: "",
        keys: &[letter(',')],
        views: TRACE,
        act: |app, _| app.seek(Axis::Core, -1),
    },
    Command {
        id: "start",
        help: "go to the first event",
        hint: "",
        keys: &[named(KeyCode::Home), letter('g')],
        views: TRACE,
        act: |app, _| app.seek(Axis::End, -1),
    },
    Command {
        id: "end",
        help: "go to the last event",
        hint: "",
        keys: &[named(KeyCode::End), letter('G')],
        views: TRACE,
        act: |app, _| app.seek(Axis::End, 1),
    },
    Command {
        id: "next-row",
        help: "go down in the pane; on why and events, to that moment",
        hint: "move",
        keys: &[named(KeyCode::Down), letter('j')],
        views: TRACE,
        act: |app, _| app.move_in_pane(1),
    },
    Command {
        id: "previous-row",
        help: "go up in the pane",
        hint: "",
        keys: &[named(KeyCode::Up), letter('k')],
        views: TRACE,
        act: |app, _| app.move_in_pane(-1),
    },
    Command {
        id: "next-page",
        help: "go down ten rows in the pane",
        hint: "",
        keys: &[named(KeyCode::PageDown)],
        views: TRACE,
        act: |app, _| app.move_in_pane(10),
    },
    Command {
        id: "previous-page",
        help: "go up ten rows in the pane",
        hint: "",
        keys: &[named(KeyCode::PageUp)],
        views: TRACE,
        act: |app, _| app.move_in_pane(-10),
    },
    Command {
        id: "next-pane",
        help: "give the next pane the focus",
        hint: "pane",
        keys: &[named(KeyCode::Tab)],
        views: TRACE,
        act: |app, _| app.turn_pane(1),
    },
    Command {
        id: "previous-pane",
        help: "give the pane before the focus",
        hint: "",
        keys: &[named(KeyCode::BackTab)],
        views: TRACE,
        act: |app, _| app.turn_pane(-1),
    },
    Command {
        id: "pane",
        help: "give the pane of this number the focus",
        hint: "",
        keys: &[Key::Digit('0')],
        views: TRACE,
        act: |app, key| match Pane::numbered(key) {
            Some(pane) => app.focus(pane),
            None => Effect::None,
        },
    },
    Command {
        id: "zoom-pane",
        help: "show the pane alone, or all panes again",
        hint: "zoom",
        keys: &[letter('z')],
        views: TRACE,
        act: |app, _| app.zoom_pane(),
    },
    Command {
        id: "zoom-in",
        help: "show fewer events in a cell of the timeline",
        hint: "",
        keys: &[letter('+')],
        views: TRACE,
        act: |app, _| app.zoom_time(1),
    },
    Command {
        id: "zoom-out",
        help: "show more events in a cell of the timeline",
        hint: "",
        keys: &[letter('-')],
        views: TRACE,
        act: |app, _| app.zoom_time(-1),
    },
    Command {
        id: "screen",
        help: "show the stop screen again",
        hint: "",
        keys: &[letter('b')],
        views: TRACE,
        act: |app, _| app.show_screen(),
    },
    // Everywhere.
    Command {
        id: "help",
        help: "show or leave this help",
        hint: "help",
        keys: &[letter('?'), named(KeyCode::F(1))],
        views: ALL,
        act: |app, _| app.toggle_help(),
    },
    Command {
        id: "back",
        help: "go back",
        hint: "back",
        keys: &[named(KeyCode::Esc)],
        views: &[View::Stop, View::Trace],
        act: |app, _| app.back(),
    },
    Command {
        id: "quit",
        help: "leave irqlab",
        hint: "quit",
        keys: &[letter('q'), Key::Ctrl('c')],
        views: ALL,
        act: |_, _| Effect::Quit,
    },
];

/// How many seeds `find` tries.
pub const SEARCH: u64 = 500;

/// The command of a key in a view.
pub fn find(view: View, pressed: Key) -> Option<&'static Command> {
    let mut here = COMMANDS.iter().filter(|c| c.views.contains(&view));
    here.find(|command| command.keys.iter().any(|key| key.matches(pressed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_commands_share_a_key() {
        for view in ALL {
            let here: Vec<_> = COMMANDS.iter().filter(|c| c.views.contains(view)).collect();
            for (i, one) in here.iter().enumerate() {
                for other in &here[i + 1..] {
                    for key in one.keys {
                        let clash = other.keys.iter().any(|k| k.matches(*key));
                        assert!(
                            !clash,
                            "{view:?}: {} and {} share {}",
                            one.id,
                            other.id,
                            key.name()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_command_has_a_name_of_its_own_a_key_and_help() {
        let ids: BTreeSet<_> = COMMANDS.iter().map(|c| c.id).collect();
        assert_eq!(ids.len(), COMMANDS.len());
        for command in COMMANDS {
            assert!(
                !command.help.is_empty() && !command.keys.is_empty(),
                "{}",
                command.id
            );
            assert!(!command.views.is_empty(), "{}", command.id);
        }
    }
}
