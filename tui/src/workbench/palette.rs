//! All commands of a view in a list that a few letters narrow down.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::app::View;
use super::commands::{self, Command};

/// The letters, and which of the commands that they leave is chosen.
#[derive(Default)]
pub struct Palette {
    /// What was typed.
    pub input: Input,
    /// Index of the chosen one.
    pub at: usize,
}

/// What a key did to the palette.
pub enum Outcome {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// This is to be done.
    Chosen(&'static Command),
}

impl Palette {
    /// A key was pressed.
    pub fn key(&mut self, event: KeyEvent, view: View) -> Outcome {
        match event.code {
            KeyCode::Esc => return Outcome::Left,
            KeyCode::Enter => {
                let chosen = matches(view, self.input.value()).get(self.at).copied();
                return chosen.map_or(Outcome::Open, Outcome::Chosen);
            }
            KeyCode::Up => self.at = self.at.saturating_sub(1),
            KeyCode::Down => {
                let last = matches(view, self.input.value()).len().saturating_sub(1);
                self.at = (self.at + 1).min(last);
            }
            _ => {
                self.input.handle_event(&Event::Key(event));
                self.at = 0;
            }
        }
        Outcome::Open
    }
}

/// The commands of a view that have the letters in their order, the most likely ones first.
pub fn matches(view: View, letters: &str) -> Vec<&'static Command> {
    // The palette itself is open.
    let here = commands::in_view(view).filter(|command| command.id != "palette");
    let mut found: Vec<_> = here
        .filter_map(|command| {
            let id = likeness(letters, command.id).map(|n| n + 1);
            let help = likeness(letters, command.help).map(|n| n + 3);
            Some((id.into_iter().chain(help).min()?, command))
        })
        .collect();
    found.sort_by_key(|(likeness, _)| *likeness);
    found.into_iter().map(|(_, command)| command).collect()
}

/// How well letters match a text, less is better: as its beginning, as the beginning of a word, in
/// one piece, or each for itself with gaps. `None`: they are not in it in this order.
fn likeness(letters: &str, text: &str) -> Option<usize> {
    let (letters, text) = (letters.to_lowercase(), text.to_lowercase());
    let letters = letters.trim();
    if text.starts_with(letters) {
        return Some(0);
    }
    if let Some(at) = text.find(letters) {
        let word = text[..at].ends_with([' ', '-']);
        return Some(if word { 2 } else { 4 });
    }
    let mut rest = text.chars().enumerate();
    let mut places = Vec::new();
    for letter in letters.chars().filter(|c| !c.is_whitespace()) {
        let (at, _) = rest.find(|(_, c)| *c == letter)?;
        places.push(at);
    }
    let span = places.last()? - places.first()? + 1;
    Some(8 + span - places.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_letters_find_a_command() {
        let first = |letters| matches(View::Trace, letters)[0].id;
        assert_eq!(first("quit"), "quit");
        assert_eq!(first("nxch"), "next-choice");
        assert_eq!(first("zoom-o"), "zoom-out");
        assert_eq!(first("stop screen"), "screen");
        assert!(matches(View::Trace, "zzzzz").is_empty());
        let all = commands::in_view(View::Trace).count() - 1;
        assert_eq!(matches(View::Trace, "").len(), all);
    }

    #[test]
    fn likeness_prefers_beginnings_and_pieces() {
        let order = ["next", "the next", "unnext", "n e x t"];
        let found = order.map(|text| likeness("next", text).unwrap());
        assert!(found.is_sorted(), "{found:?}");
        assert_eq!(likeness("nextt", "next"), None);
    }
}
