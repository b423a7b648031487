//! Files that the workbench writes: what is shown, a schedule, a story.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

use super::app::{App, Content};
use super::theme::Theme;
use super::view;

/// Writes a file that is not there yet; says what came of it.
pub fn write(app: &App, theme: &Theme, size: Size, path: &Path, content: Content) -> String {
    let text = match content {
        Content::Screen => screen(app, theme, size),
        Content::Text(text) => text,
    };
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => format!("written: {}", path.display()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            format!(
                "{} is there already\nmend: choose another name",
                path.display()
            )
        }
        Err(error) => format!("{}: {error}", path.display()),
    }
}

/// What is shown, as lines of text.
fn screen(app: &App, theme: &Theme, size: Size) -> String {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(size.width, size.height));
    let Ok(_) = terminal.draw(|frame| view::draw(app, theme, frame));
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..size.height {
        let cells = (0..size.width).map(|x| buffer[(x, y)].symbol());
        let line: String = cells.collect();
        text += line.trim_end();
        text.push('\n');
    }
    text
}
