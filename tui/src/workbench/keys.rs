//! Keys as commands have them: their names, and which one a terminal's event is.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

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

/// A letter or a sign.
pub const fn letter(c: char) -> Key {
    Key::Plain(KeyCode::Char(c))
}

/// A key that has a name.
pub const fn named(code: KeyCode) -> Key {
    Key::Plain(code)
}

/// The keys that have names, with the sign that stands for some of them on the screen.
const NAMES: &[(KeyCode, &str, &str)] = &[
    (KeyCode::Char(' '), "Space", "Space"),
    (KeyCode::Up, "Up", "↑"),
    (KeyCode::Down, "Down", "↓"),
    (KeyCode::Left, "Left", "←"),
    (KeyCode::Right, "Right", "→"),
    (KeyCode::PageUp, "PgUp", "PgUp"),
    (KeyCode::PageDown, "PgDn", "PgDn"),
    (KeyCode::BackTab, "Shift-Tab", "Shift-Tab"),
    (KeyCode::Tab, "Tab", "Tab"),
    (KeyCode::Enter, "Enter", "Enter"),
    (KeyCode::Esc, "Esc", "Esc"),
    (KeyCode::Home, "Home", "Home"),
    (KeyCode::End, "End", "End"),
    (KeyCode::Backspace, "Backspace", "Backspace"),
    (KeyCode::Delete, "Delete", "Delete"),
];

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
    pub fn matches(self, pressed: Key) -> bool {
        match (self, pressed) {
            (Key::Digit(_), Key::Digit(_)) => true,
            _ => self == pressed,
        }
    }

    /// Its name in letters: `Down`, `Ctrl-P`, `q`.
    pub fn name(self) -> String {
        self.named_by(|row| row.1)
    }

    /// What the screen calls it: arrows are arrows.
    pub fn sign(self) -> String {
        self.named_by(|row| row.2)
    }

    fn named_by(
        self,
        column: fn(&(KeyCode, &'static str, &'static str)) -> &'static str,
    ) -> String {
        let code = match self {
            Key::Digit(_) => return "0-9".into(),
            Key::Ctrl(c) => return format!("Ctrl-{}", c.to_ascii_uppercase()),
            Key::Plain(code) => code,
        };
        match (NAMES.iter().find(|row| row.0 == code), code) {
            (Some(row), _) => column(row).to_owned(),
            (None, KeyCode::Char(c)) => c.to_string(),
            (None, KeyCode::F(n)) => format!("F{n}"),
            (None, other) => format!("{other:?}"),
        }
    }

    /// The event of a key of this name: the one that [`Key::name`] gives, or a single character.
    #[cfg(test)]
    pub fn event(name: &str) -> Option<KeyEvent> {
        let plain = |code| Some(KeyEvent::new(code, KeyModifiers::NONE));
        if let Some((code, ..)) = NAMES.iter().find(|row| row.1 == name) {
            return plain(*code);
        }
        let mut letters = name.chars();
        match (letters.next(), letters.next()) {
            (Some(c), None) => return plain(KeyCode::Char(c)),
            (Some('F'), Some(_)) => {
                if let Ok(n) = name[1..].parse() {
                    return plain(KeyCode::F(n));
                }
            }
            _ => {}
        }
        let mut letters = name.strip_prefix("Ctrl-")?.chars();
        match (letters.next(), letters.next()) {
            (Some(c), None) => Some(KeyEvent::new(
                KeyCode::Char(c.to_ascii_lowercase()),
                KeyModifiers::CONTROL,
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_key_is_that_key() {
        let plain = NAMES.iter().map(|row| Key::Plain(row.0));
        let others = [
            letter('?'),
            letter('G'),
            named(KeyCode::F(1)),
            Key::Ctrl('p'),
        ];
        for key in plain.chain(others) {
            let event = Key::event(&key.name()).expect("a key");
            assert_eq!(Key::of(event), Some(key), "{}", key.name());
        }
        assert_eq!(Key::event("Hyper-x"), None);
    }
}
