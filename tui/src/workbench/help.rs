//! A text over the view: the help, with every command and what the marks mean.

use ratatui::Frame;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

use super::app::View;
use super::commands::GROUPS;
use super::keys::{Key, letter, named};
use super::theme::Theme;
use super::view::pane;
use emu::scene::mark::Mark;

/// A text that is being read.
pub struct Text {
    view: View,
    scroll: usize,
}

impl Text {
    /// The help of a view.
    pub fn help(view: View) -> Text {
        Text { view, scroll: 0 }
    }

    /// A key was pressed; whether the text stays.
    pub fn key(&mut self, key: Key) -> bool {
        let scrolls = [
            (named(KeyCode::Down), 1),
            (letter('j'), 1),
            (named(KeyCode::Up), -1),
            (letter('k'), -1),
            (named(KeyCode::PageDown), 10),
            (named(KeyCode::PageUp), -10),
        ];
        let by = scrolls.iter().find(|(known, _)| *known == key);
        if let Some((_, by)) = by {
            self.scroll(*by);
        }
        by.is_some()
    }

    /// Scrolls by lines.
    pub fn scroll(&mut self, by: isize) {
        let last = lines(self.view, &|key| key.name()).len().saturating_sub(1);
        self.scroll = self.scroll.saturating_add_signed(by).min(last);
    }

    /// Draws it.
    pub fn draw(&self, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
        let lines = lines(self.view, &|key| theme.key(key));
        let arrows = [KeyCode::Up, KeyCode::Down].map(|code| theme.key(named(code)));
        let title = format!("Help ({} scroll, any other key leaves)", arrows.join(" "));
        let block = pane(&title, true, theme);
        let room = usize::from(block.inner(area).height);
        let top = self.scroll.min(lines.len().saturating_sub(room));
        let lines: Vec<Line<'_>> = lines[top..]
            .iter()
            .map(|line| Line::from(line.as_str()))
            .collect();
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(lines).block(block), area);
    }
}

/// The text of the help; `name` says what the screen calls a key.
fn lines(view: View, name: &dyn Fn(Key) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    for group in GROUPS {
        let here = group.commands.iter();
        let mut here = here
            .filter(|command| command.views.contains(&view))
            .peekable();
        if here.peek().is_some() {
            lines.push(format!(" {}:", group.title));
        }
        for command in here {
            let keys: Vec<String> = command.keys.iter().map(|key| name(*key)).collect();
            let keys = match keys.is_empty() {
                // What has no key is called by its name.
                true => format!(":{}", command.id),
                false => keys.join(" "),
            };
            lines.push(format!("  {keys:<14} {}", command.help));
        }
    }
    if view == View::Trace {
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
    lines
}
