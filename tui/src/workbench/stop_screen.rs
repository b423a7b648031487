//! The stop screen, full-size and in its colours.

use emu::report::Screen;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::theme::Theme;

/// Draws the screen, from line `scroll` on if it is taller than the area.
pub fn draw(screen: &Screen, scroll: usize, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let style = theme.screen(screen.foreground, screen.background);
    frame.render_widget(Block::new().style(style), area);
    let note_height = note_height(screen, area.width, area.height);
    let text = Rect {
        height: area.height - note_height,
        ..area
    };
    let rows = usize::from(text.height);
    let lines = fitted(screen, rows);
    // It cannot be scrolled beyond its end.
    let top = scroll.min(lines.len().saturating_sub(rows));
    let lines: Vec<Line<'_>> = lines[top..].iter().copied().map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines).style(style), text);
    if let Some(note) = &screen.note {
        let place = Rect {
            y: text.bottom(),
            height: note_height,
            ..area
        };
        let note = Paragraph::new(note.as_str()).style(theme.header());
        frame.render_widget(note.wrap(Wrap { trim: true }), place);
    }
}

/// Lines of the screen that are below an area of this size.
pub fn lines_below(screen: &Screen, scroll: usize, width: u16, height: u16) -> usize {
    let rows = usize::from(height - note_height(screen, width, height));
    let lines = fitted(screen, rows).len();
    lines.saturating_sub(rows).saturating_sub(scroll)
}

fn note_height(screen: &Screen, width: u16, height: u16) -> u16 {
    match &screen.note {
        Some(note) => (note.chars().count() as u16 / width.max(1) + 1).min(height / 3),
        None => 0,
    }
}

/// The lines of a screen for so many rows. A text display had more of them than many terminals:
/// where there are too few, empty lines are left out, as many as needed and the first ones first.
fn fitted(screen: &Screen, rows: usize) -> Vec<&str> {
    let mut excess = screen.lines.len().saturating_sub(rows);
    let mut keep = |line: &str| {
        let drop = line.is_empty() && excess > 0;
        excess -= usize::from(drop);
        !drop
    };
    let lines = screen.lines.iter().map(String::as_str);
    lines.filter(|line| keep(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use emu::report::Colour;

    #[test]
    fn empty_lines_make_room_and_no_others() {
        let screen = Screen {
            columns: 80,
            rows: 25,
            lines: ["a", "", "b", "", "c"].map(String::from).to_vec(),
            foreground: Colour::White,
            background: Colour::Blue,
            note: None,
        };
        assert_eq!(fitted(&screen, 5), ["a", "", "b", "", "c"]);
        assert_eq!(fitted(&screen, 4), ["a", "b", "", "c"]);
        assert_eq!(fitted(&screen, 2), ["a", "b", "c"]);
        assert_eq!(lines_below(&screen, 0, 80, 2), 1);
        assert_eq!(lines_below(&screen, 1, 80, 2), 0);
    }
}
