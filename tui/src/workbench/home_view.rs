//! The first screen: scenarios, settings, and what to expect.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::entry::{Entry, Field};
use super::home::{Home, Row};
use super::theme::{Target, Theme};
use super::view::{one_pane, pane, top_of};

/// Draws it.
pub fn draw(home: &Home, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let fields = home.entry().map_or(0, |entry| entry.fields().len());
    if one_pane(area) {
        // The one with the cursor.
        match (home.at, home.entry()) {
            (Some(_), Some(entry)) => settings(home, entry, theme, frame, area),
            _ => scenarios(home, theme, frame, area),
        }
        return;
    }
    // The list scrolls; what the chosen scenario is about needs the room more.
    let rows = home.visible().len() as u16;
    let list_height = (rows + 2).clamp(3, (area.height / 4).max(3));
    let rows = [
        Constraint::Length(list_height),
        Constraint::Length(fields as u16 + 2),
        Constraint::Min(0),
    ];
    let [top, middle, bottom] = Layout::vertical(rows).spacing(-1).areas(area);
    scenarios(home, theme, frame, top);
    match home.row() {
        Some(Row::Scenario(entry)) => {
            settings(home, entry, theme, frame, middle);
            about(home, entry, theme, frame, bottom);
        }
        other => {
            // Nothing can be changed about a recorded run.
            let text = other.map_or(String::new(), |row| {
                format!("{}: {}", row.name(), row.summary())
            });
            let block = pane("About", false, theme);
            let place = middle.union(bottom);
            let text = Paragraph::new(text).block(block).wrap(Wrap { trim: false });
            frame.render_widget(text, place);
        }
    }
}

fn scenarios(home: &Home, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let in_list = home.at.is_none();
    let names = home.rows.iter().map(|row| row.name().chars().count());
    let width = names.max().unwrap_or(0);
    let title = match home.filter.as_str() {
        "" => "Scenarios".to_owned(),
        filter => format!("Scenarios with '{filter}'"),
    };
    let block = pane(&title, in_list, theme);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let visible = home.visible();
    if visible.is_empty() {
        frame.render_widget(Paragraph::new("none; Esc shows all"), inner);
        return;
    }
    let at = visible
        .iter()
        .position(|row| *row == home.chosen)
        .unwrap_or(0);
    let rows = usize::from(inner.height);
    let top = top_of(at, visible.len(), rows);
    for (i, row) in visible.iter().skip(top).take(rows).enumerate() {
        let chosen = *row == home.chosen;
        let mark = match (chosen, home.marked == Some(*row)) {
            (_, true) => '◆',
            (true, false) => '▶',
            (false, false) => ' ',
        };
        let line = &home.rows[*row];
        let line = Line::from(format!("{mark} {:width$}  {}", line.name(), line.summary()));
        let place = Rect {
            y: inner.y + i as u16,
            height: 1,
            ..inner
        };
        theme.place(Target::Row(*row), place);
        let line = match in_list && chosen {
            true => line.style(theme.selected()),
            false => line,
        };
        frame.render_widget(Paragraph::new(line), place);
    }
}

fn settings(home: &Home, entry: &Entry, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
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
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let rows = usize::from(inner.height);
    let top = top_of(selected.unwrap_or(0), fields.len(), rows);
    for (i, line) in lines.enumerate().skip(top).take(rows) {
        let place = Rect {
            y: inner.y + (i - top) as u16,
            height: 1,
            ..inner
        };
        theme.place(Target::Field(i), place);
        frame.render_widget(Paragraph::new(line), place);
    }
}

fn about(home: &Home, entry: &Entry, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let command = match home.field() {
        Some(Field::Search) => entry.search_line(),
        _ => entry.command_line(),
    };
    let mut lines = vec![
        Line::from(entry.expectation()),
        Line::styled(command, theme.strong()),
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
