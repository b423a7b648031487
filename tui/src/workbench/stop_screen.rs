//! The stop screen, full-size and in its colours.

use emu::report::Screen;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::theme::Theme;

/// Draws the screen from line `scroll` on; the bottom line of the area is left to the caller.
pub fn draw(screen: &Screen, scroll: usize, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let style = theme.screen(screen.foreground, screen.background);
    frame.render_widget(Block::new().style(style), area);
    let note_height = match &screen.note {
        Some(note) => (note.chars().count() as u16 / area.width.max(1) + 1).min(area.height / 3),
        None => 0,
    };
    let text = Rect {
        height: area.height - note_height,
        ..area
    };
    // It cannot be scrolled beyond its end.
    let last_top = screen.lines.len().saturating_sub(usize::from(text.height));
    let top = scroll.min(last_top);
    let lines: Vec<Line<'_>> = screen.lines[top..]
        .iter()
        .map(|line| Line::from(line.as_str()))
        .collect();
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
