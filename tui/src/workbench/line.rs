//! The command line inside: text that is typed, completed, remembered and taken apart.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::app::{App, View};
use super::commands::{self, Command};

/// A line that is being typed.
pub struct Line {
    /// What it is.
    pub kind: Kind,
    /// The text and the cursor in it.
    pub input: Input,
    /// What Tab offers.
    pub offers: Vec<String>,
    /// Which offer is in the text.
    pub offered: Option<usize>,
    /// Which line of the history is shown.
    at: Option<usize>,
    /// What was typed before the history was asked.
    draft: String,
}

/// What is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A command.
    Command,
    /// A filter of the first screen: every letter has its effect at once.
    Filter,
}

/// What a key did to the line.
pub enum Outcome {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// It is complete.
    Typed(String),
}

impl Line {
    /// A command of which so much is there.
    pub fn new(text: String) -> Line {
        Line {
            kind: Kind::Command,
            input: Input::new(text),
            offers: Vec::new(),
            offered: None,
            at: None,
            draft: String::new(),
        }
    }

    /// A filter of which so much is there.
    pub fn filter(text: String) -> Line {
        Line {
            kind: Kind::Filter,
            ..Line::new(text)
        }
    }

    /// A key was pressed.
    pub fn key(&mut self, event: KeyEvent, app: &mut App) -> Outcome {
        if self.kind == Kind::Filter {
            return self.key_of_filter(event, app);
        }
        match event.code {
            KeyCode::Esc => return Outcome::Left,
            KeyCode::Enter => return Outcome::Typed(self.input.value().to_owned()),
            KeyCode::Backspace if self.input.value().is_empty() => return Outcome::Left,
            KeyCode::Tab => self.complete(app, 1),
            KeyCode::BackTab => self.complete(app, -1),
            KeyCode::Up => self.recall(&app.history, -1),
            KeyCode::Down => self.recall(&app.history, 1),
            _ => {
                self.offers.clear();
                self.offered = None;
                self.input.handle_event(&Event::Key(event));
            }
        }
        Outcome::Open
    }

    fn key_of_filter(&mut self, event: KeyEvent, app: &mut App) -> Outcome {
        match event.code {
            KeyCode::Enter => return Outcome::Left,
            KeyCode::Esc => {
                app.home.set_filter(String::new());
                return Outcome::Left;
            }
            KeyCode::Up => drop(app.home.go(-1)),
            KeyCode::Down => drop(app.home.go(1)),
            _ => {
                self.input.handle_event(&Event::Key(event));
                app.home.set_filter(self.input.value().to_owned());
            }
        }
        Outcome::Open
    }

    /// Completes the last word as far as it is certain; the next time it takes the offers in turn.
    fn complete(&mut self, app: &App, by: isize) {
        let text = self.input.value().to_owned();
        if let Some(offered) = self.offered {
            let len = self.offers.len() as isize;
            let next = (offered as isize + by).rem_euclid(len) as usize;
            let head = text.strip_suffix(self.offers[offered].as_str());
            let head = head.unwrap_or_default().to_owned();
            self.offered = Some(next);
            self.input = Input::new(head + &self.offers[next]);
            return;
        }
        let (head, offers) = offers(&text, app);
        let word = &text[head.len()..];
        match offers.as_slice() {
            [] => {}
            [only] => self.input = Input::new(format!("{head}{only} ")),
            several => {
                let common = common(several);
                if common.len() > word.len() {
                    self.input = Input::new(head + &common);
                } else if self.offers == offers {
                    self.offered = Some(0);
                    self.input = Input::new(head + &several[0]);
                }
                self.offers = offers;
                return;
            }
        }
        self.offers.clear();
    }

    fn recall(&mut self, history: &[String], by: isize) {
        self.offers.clear();
        self.offered = None;
        let at = self.at.unwrap_or(history.len());
        if self.at.is_none() {
            self.draft = self.input.value().to_owned();
        }
        let to = at.saturating_add_signed(by).min(history.len());
        self.at = (to < history.len()).then_some(to);
        let text = history.get(to).unwrap_or(&self.draft);
        self.input = Input::new(text.clone());
    }
}

/// What the last word of a text may become, and the text before that word.
fn offers(text: &str, app: &App) -> (String, Vec<String>) {
    let at = text.rfind(' ').map_or(0, |at| at + 1);
    let (head, word) = text.split_at(at);
    let before: Vec<String> = head.split_whitespace().map(str::to_owned).collect();
    let all: Vec<String> = match before.split_first() {
        None => {
            let here = commands::in_view(app.view);
            here.map(|command| command.id.to_owned()).collect()
        }
        Some((name, words)) => match commands::of_name(app.view, name) {
            Ok(Command {
                args: Some(args), ..
            }) => (args.complete)(app, words),
            _ => Vec::new(),
        },
    };
    let offers = all.into_iter().filter(|offer| offer.starts_with(word));
    let mut offers: Vec<String> = offers.collect();
    offers.sort();
    (head.to_owned(), offers)
}

/// What all of them begin with.
fn common(all: &[String]) -> String {
    let mut common = all.first().cloned().unwrap_or_default();
    for one in all {
        while !one.starts_with(&common) {
            common.pop();
        }
    }
    common
}

/// The command that a line names, with its words; `None` for an empty line.
///
/// # Errors
/// There is no such command in this view, or its words are wrong; with the mend.
pub fn parse(view: View, text: &str) -> Result<Option<(&'static Command, Vec<String>)>, String> {
    let words = words(text)?;
    let Some((name, words)) = words.split_first() else {
        return Ok(None);
    };
    let command = commands::of_name(view, name)?;
    match command.args {
        None if !words.is_empty() => Err(format!(
            "'{}' takes no words\nmend: leave '{}' out",
            command.id,
            words.join(" ")
        )),
        Some(args) if args.required && words.is_empty() => Err(format!(
            "'{}' needs to know more\nmend: write {}",
            command.id,
            command.form()
        )),
        _ => Ok(Some((command, words.to_vec()))),
    }
}

/// The words of a line, with quotes as a POSIX shell has them.
///
/// # Errors
/// A quote is not closed.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some(end) if end == c => break,
                        Some(inside) => word.push(inside),
                        None => return Err(format!("{c} is not closed\nmend: add {c}")),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(letters.next()),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let cases: [(&str, &[&str]); 6] = [
            ("", &[]),
            ("  a  b ", &["a", "b"]),
            ("'a b' c", &["a b", "c"]),
            (r"it'\''s", &["it's"]),
            ("--set x=\"1 2\"", &["--set", "x=1 2"]),
            ("''", &[""]),
        ];
        for (text, expected) in cases {
            let found = match text {
                r"it'\''s" => words(r"'it'\''s'"),
                text => words(text),
            };
            assert_eq!(found.unwrap(), expected, "{text}");
        }
        assert!(words("a 'b").unwrap_err().contains("not closed"));
    }

    #[test]
    fn a_line_is_a_command_and_its_words() {
        let parsed = |text| parse(View::Trace, text).map(|found| found.map(|(c, w)| (c.id, w)));
        assert_eq!(parsed("  "), Ok(None));
        assert_eq!(parsed("pane 3"), Ok(Some(("pane", vec!["3".into()]))));
        assert!(parsed("quit now").unwrap_err().contains("takes no words"));
        assert!(parsed("pane").unwrap_err().contains("write pane PANE"));
    }
}
