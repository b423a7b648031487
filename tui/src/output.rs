//! Standard output carries the result and nothing else.

use std::io::{self, ErrorKind, IsTerminal, Write};

use crate::failure::{Failure, Outcome};

/// Prints a result. A reader that has gone away (`| head`) is no error.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(text: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::at("standard output", error))
        }
        _ => Ok(()),
    }
}

/// Prints one JSON object, indented.
///
/// # Errors
/// Standard output cannot be written.
pub fn print_json(value: &impl serde::Serialize) -> Outcome<()> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|error| Failure::at("the result as JSON", error))?;
    print(&format!("{text}\n"))
}

/// Widest text unless the user says otherwise: longer lines are hard to read.
const WIDEST: u16 = 160;

/// How wide text is to be: what the user says, or the terminal's width, or 80 cells.
pub fn width(asked: Option<u16>) -> usize {
    let terminal = || match io::stdout().is_terminal() {
        true => ratatui::crossterm::terminal::size()
            .ok()
            .map(|(columns, _)| columns.min(WIDEST)),
        false => None,
    };
    usize::from(asked.or_else(terminal).unwrap_or(80))
}
