//! The first screen: scenarios, settings, and what to expect.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::home::Home;
use super::theme::Theme;
use super::view::{pane, scrolled};

/// Draws it.
pub fn draw(home: &Home, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let entry = home.entry();
    let fields = entry.fields();
    let in_fields = home.at.is_some();
    let lists = (home.entries.len() + fields.len() + 4) as u16;
    if area.height < lists.min(16) {
        // One pane: the one with the cursor.
        match in_fields {
            true => settings(home, theme, frame, area),
            false => scenarios(home, theme, frame, area),
        }
        return;
    }
    // The list scrolls; what the chosen scenario is about needs the room more.
    let list_height = (home.entries.len() as u16 + 2).min(area.height / 4);
    let rows = [
        Constraint::Length(list_height),
        Constraint::Length(fields.len() as u16 + 2),
        Constraint::Min(0),
    ];
    let [top, middle, bottom] = Layout::vertical(rows).spacing(-1).areas(area);
    scenarios(home, theme, frame, top);
    settings(home, theme, frame, middle);
    about(home, theme, frame, bottom);
}

fn scenarios(home: &Home, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let in_list = home.at.is_none();
    let names = home.entries.iter().map(|entry| entry.source.name.len());
    let width = names.max().unwrap_or(0);
    let lines = home.entries.iter().enumerate().map(|(i, entry)| {
        let mark = if i == home.chosen { '▶' } else { ' ' };
        let summary = &entry.source.scenario.summary;
        let line = Line::from(format!("{mark} {:width$}  {summary}", entry.source.name));
        if in_list && i == home.chosen {
            line.style(theme.selected())
        } else {
            line
        }
    });
    let block = pane("Scenarios", in_list, theme);
    let lines = scrolled(lines.collect(), home.chosen, block.inner(area).height);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn settings(home: &Home, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let entry = home.entry();
    let fields = entry.fields();
    let selected = home.at;
    let names = fields
        .iter()
        .map(|field| entry.name(*field).chars().count());
    let values = fields
        .iter()
        .map(|field| entry.value(*field).chars().count());
    let (name_width, value_width) = (names.max().unwrap_or(0), values.max().unwrap_or(0));
    let lines = fields.iter().enumerate().map(|(i, field)| {
        let here = selected == Some(i);
        let (left, right) = if here { ('◂', '▸') } else { (' ', ' ') };
        let (name, value) = (entry.name(*field), entry.value(*field));
        let choice = format!("  {name:name_width$}  {left} {value:^value_width$} {right}");
        let choice = Span::styled(
            choice,
            if here {
                theme.selected()
            } else {
                theme.strong()
            },
        );
        Line::from(vec![choice, Span::raw(format!("  {}", entry.help(*field)))])
    });
    let title = format!("Machine and settings of {}", entry.source.name);
    let block = pane(&title, selected.is_some(), theme);
    let lines = scrolled(
        lines.collect(),
        selected.unwrap_or(0),
        block.inner(area).height,
    );
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn about(home: &Home, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let entry = home.entry();
    let mut lines = vec![
        Line::from(entry.expectation()),
        Line::styled(entry.command_line(), theme.strong()),
    ];
    match home.field() {
        // The list cuts what is too long for its line.
        Some(field) => {
            lines.push(Line::from(format!(
                "{}: {}",
                entry.name(field),
                entry.help(field)
            )));
        }
        None => {
            let story = entry
                .source
                .scenario
                .story
                .replace('\n', " ")
                .replace("  ", "\n\n");
            lines.extend(story.lines().map(|line| Line::from(line.to_owned())));
        }
    }
    let block = pane("About", false, theme);
    frame.render_widget(
        Paragraph::new(lines)
            .block(block)
            .wrap(Wrap { trim: false }),
        area,
    );
}
