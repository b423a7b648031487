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
    let rows = home.visible().len() as u16;
    let [list, settings_rows] = heights(area.height, rows, fields as u16, home.at.is_none());
    let rows = [
        Constraint::Length(list),
        Constraint::Length(settings_rows),
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

/// Lines for what a scenario is about, with its frame.
const ABOUT: u16 = 8;
/// Lines for a list that has not got the cursor, with its frame, at least.
const FEW: u16 = 6;

/// How high the list and the settings are, so that the one with the cursor has what room there is.
fn heights(height: u16, rows: u16, fields: u16, in_list: bool) -> [u16; 2] {
    // Neighbours share their frames.
    let room = height + 2;
    let (list, settings) = (rows + 2, fields + 2);
    match in_list {
        true => {
            let list = list.min(room.saturating_sub(ABOUT + FEW)).max(3);
            let left = room.saturating_sub(ABOUT + list);
            [list, settings.min(left.max(FEW))]
        }
        false => {
            let settings = settings.min(room.saturating_sub(FEW));
            let left = room.saturating_sub(ABOUT + settings);
            [list.min(left.max(5)), settings]
        }
    }
}

fn scenarios(home: &Home, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let in_list = home.at.is_none();
    let names = home.rows.iter().map(|row| row.name().chars().count());
    let width = names.max().unwrap_or(0);
    let visible = home.visible();
    let at = visible.iter().position(|row| *row == home.chosen);
    let at = at.unwrap_or(0);
    let inner_rows = usize::from(area.height.saturating_sub(2));
    let part = part(at, visible.len(), inner_rows);
    let title = match home.filter.as_str() {
        "" => format!("Scenarios{part}"),
        filter => format!("Scenarios with '{filter}'{part}"),
    };
    let block = pane(&title, in_list, theme);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if visible.is_empty() {
        frame.render_widget(Paragraph::new("none; Esc shows all"), inner);
        return;
    }
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

/// Which of the rows of a list the cursor is on, where not all of them are in sight.
fn part(at: usize, of: usize, rows: usize) -> String {
    match of > rows {
        true => format!(" {} of {of}", at + 1),
        false => String::new(),
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
    let inner_rows = usize::from(area.height.saturating_sub(2));
    let part = part(selected.unwrap_or(0), fields.len(), inner_rows);
    let title = format!("Machine and settings of {}{part}", entry.source.name);
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
