//! The command line and the palette, over the view.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line as Text;
use ratatui::widgets::{Clear, Paragraph};

use super::app::View;
use super::commands::of_name;
use super::line::{Kind, Line};
use super::palette::{Palette, matches};
use super::theme::Theme;
use super::view::{pane, scrolled, wrapped};

/// Draws the line at the bottom, and above it what Tab offers or what the command wants to know.
pub fn line(line: &Line, view: View, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let mark = match line.kind {
        Kind::Command => ':',
        Kind::Filter => '/',
    };
    let bottom = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    let room = usize::from(area.width).saturating_sub(2);
    // What does not fit is cut at the left: the cursor is in sight.
    let scroll = line.input.visual_scroll(room);
    let shown: String = line.input.value().chars().skip(scroll).collect();
    frame.render_widget(Clear, bottom);
    frame.render_widget(Paragraph::new(format!("{mark}{shown}")), bottom);
    let cursor = line.input.visual_cursor().saturating_sub(scroll) as u16;
    frame.set_cursor_position((bottom.x + 1 + cursor, bottom.y));
    let above = match (line.kind, line.offers.is_empty()) {
        (Kind::Filter, _) => return,
        (Kind::Command, true) => about(line.input.value(), view),
        (Kind::Command, false) => wrapped(&line.offers.join("  "), room),
    };
    let rows = above.len().min(usize::from(area.height) / 2) as u16;
    let place = Rect {
        y: bottom.y - rows,
        height: rows,
        ..area
    };
    let above: Vec<Text<'_>> = above
        .into_iter()
        .map(|line| Text::styled(format!(" {line:room$} "), theme.header()))
        .collect();
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(above), place);
}

/// What the command that is being typed does and wants to know, once it is clear which one it is.
fn about(text: &str, view: View) -> Vec<String> {
    let name = text.split_whitespace().next();
    let command = name.and_then(|name| of_name(view, name).ok());
    let line = command.map(|command| format!("{}: {}", command.form(), command.help));
    line.into_iter().collect()
}

/// Draws the palette in the middle.
pub fn palette(palette: &Palette, view: View, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let width = Constraint::Length(area.width.min(76));
    let height = Constraint::Length(area.height.min(16));
    let place = area.centered(width, height);
    let letters = palette.input.value();
    let block = pane("Commands (type some letters, Enter does it)", true, theme);
    let inner = block.inner(place);
    frame.render_widget(Clear, place);
    frame.render_widget(block, place);
    let found = matches(view, letters);
    let lines = found.iter().enumerate().map(|(i, command)| {
        let key = command
            .keys
            .first()
            .map_or_else(String::new, |key| theme.key(*key));
        let text = format!(" {:<15} {key:<9} {}", command.id, command.help);
        match i == palette.at {
            true => Text::styled(
                format!("{text:0$}", usize::from(inner.width)),
                theme.selected(),
            ),
            false => Text::from(text),
        }
    });
    let list = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    frame.render_widget(Paragraph::new(format!(" > {letters}")), inner);
    let lines = scrolled(lines.collect(), palette.at, list.height);
    frame.render_widget(Paragraph::new(lines), list);
    let cursor = palette.input.visual_cursor() as u16;
    frame.set_cursor_position((
        inner.x + 3 + cursor.min(inner.width.saturating_sub(4)),
        inner.y,
    ));
}
