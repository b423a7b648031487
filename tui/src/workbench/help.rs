//! The help: every command of a view, and what the marks mean.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

use super::app::View;
use super::keys::COMMANDS;
use super::theme::Theme;
use super::trace::Mark;
use super::view::pane;

/// Draws it from line `scroll` on.
pub fn draw(view: View, scroll: usize, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let lines = lines(view);
    let block = pane("Help (↑ ↓ scroll, any other key leaves)", true, theme);
    let room = usize::from(block.inner(area).height);
    let top = scroll.min(lines.len().saturating_sub(room));
    let lines: Vec<Line<'_>> = lines[top..]
        .iter()
        .map(|line| Line::from(line.as_str()))
        .collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// The text of the help.
pub fn lines(view: View) -> Vec<String> {
    let mut lines = Vec::new();
    for command in COMMANDS
        .iter()
        .filter(|command| command.views.contains(&view))
    {
        let keys: Vec<String> = command.keys.iter().map(|key| key.name()).collect();
        lines.push(format!("  {:<14} {}", keys.join(" "), command.help));
    }
    match view {
        View::Home => {}
        View::Stop => lines.push(format!("  {:<14} show the trace", "any other key")),
        View::Trace => {
            lines.push(String::new());
            lines.push("  The height of a lane is the core's IRQL:".into());
            lines.push(
                "  ─ PASSIVE   ▂ APC   ▄ DISPATCH   ▆ device   █ HIGH   ┃ the moment shown".into(),
            );
            lines.push("  Events on it:".into());
            for mark in Mark::ALL {
                lines.push(format!("  {:<4} {}", mark.letter(), mark.meaning()));
            }
            lines.push("  ◆ a choice that deviates   ◇ a choice that changes nothing".into());
        }
    }
    lines
}
