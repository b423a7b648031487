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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::workbench::home::Home;
    use crate::workbench::theme::Depth;

    #[test]
    fn files_are_written_and_never_overwritten() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp/export");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let app = App::new(Home::of(Vec::new()));
        let theme = Theme::new(Depth::None, false);
        let write = |name: &str, content| {
            let path = folder.join(name);
            let said = write(&app, &theme, Size::new(80, 24), &path, content);
            (said, fs::read_to_string(path).unwrap_or_default())
        };
        let (said, text) = write("a", Content::Text("one\n".into()));
        assert!(said.starts_with("written: "), "{said}");
        assert_eq!(text, "one\n");
        let (said, text) = write("a", Content::Text("two\n".into()));
        assert!(said.contains("choose another name"), "{said}");
        assert_eq!(text, "one\n");
        let (said, _) = write("nowhere/a", Content::Screen);
        assert!(said.contains("nowhere"), "{said}");
        let (_, screen) = write("screen", Content::Screen);
        assert_eq!(screen.lines().count(), 24);
        assert!(screen.contains("choose a scenario"), "{screen}");
    }
}
