//! The view: a pure function of the state and the size of the terminal.

use ratatui::Frame;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::symbols::merge::MergeStrategy;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use super::app::{App, Overlay, View};
use super::commands::{self, Command};
use super::keys::named;
use super::theme::Theme;
use super::{home_view, overlay, search_view, stop_screen, trace};

/// Smallest terminal that shows more than a line.
const SMALLEST: (u16, u16) = (40, 10);
/// Smallest terminal that shows several panes.
const SEVERAL: (u16, u16) = (80, 24);

/// Whether what is between the top and the bottom line of a terminal is only one pane's.
pub fn one_pane(area: Rect) -> bool {
    area.width < SEVERAL.0 || area.height < SEVERAL.1 - 2
}

/// Draws everything.
pub fn draw(app: &App, theme: &Theme, frame: &mut Frame<'_>) {
    theme.begin();
    draw_all(app, theme, frame);
    theme.finish(frame.buffer_mut());
}

fn draw_all(app: &App, theme: &Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!("irqlab needs {}x{} cells", SMALLEST.0, SMALLEST.1);
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let top = Rect { height: 1, ..area };
    let bottom = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    let between = Rect {
        y: area.y + 1,
        height: area.height - 2,
        ..area
    };
    let above = Rect {
        height: area.height - 1,
        ..area
    };
    match (app.view, &app.trace) {
        (View::Stop, _) if app.screen().is_some() => {
            if let Some(screen) = app.screen() {
                stop_screen::draw(screen, app.screen_scroll, theme, frame, above);
            }
        }
        (View::Trace, Some(state)) => {
            header(&trace::header(state), theme, frame, top);
            trace::draw(state, theme, frame, between);
        }
        _ => match app.search.as_ref().filter(|_| app.view == View::Search) {
            Some(search) => {
                header(&format!(" irqlab │ {}", search.title), theme, frame, top);
                search_view::draw(search, theme, frame, between);
            }
            None => {
                header(&home_header(app), theme, frame, top);
                home_view::draw(&app.home, theme, frame, between);
            }
        },
    }
    status(app, theme, frame, bottom);
    match &app.overlay {
        Overlay::None => {}
        Overlay::Text(text) => text.draw(theme, frame, between),
        Overlay::Line(line) => overlay::line(line, app.view, theme, frame, area),
        Overlay::Palette(palette) => overlay::palette(palette, app.view, theme, frame, between),
    }
    if let Some(message) = &app.message {
        message_box(message, theme, frame, between);
    }
}

/// The first screen's top line; a search that goes on elsewhere is told there.
fn home_header(app: &App) -> String {
    match app.search.as_ref().filter(|search| search.goes_on()) {
        Some(search) => format!(" irqlab │ search (E): {}", search_view::summary(search)),
        None => " irqlab │ choose a scenario, change it, run it".to_owned(),
    }
}

/// What went wrong, and its mend, in the middle of the screen.
fn message_box(message: &str, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.width.saturating_sub(6));
    // Lines of a listing keep their indentation.
    let lines: Vec<String> = message
        .lines()
        .flat_map(|line| wrapped(line, room))
        .collect();
    let widest = lines
        .iter()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    let width = (widest as u16 + 4).max(24).min(area.width);
    let height = (lines.len() as u16 + 2).min(area.height);
    let place = area.centered(Constraint::Length(width), Constraint::Length(height));
    let block = pane("Message", true, theme).padding(Padding::horizontal(1));
    let lines: Vec<Line<'_>> = lines.into_iter().map(Line::from).collect();
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(block), place);
}

fn header(text: &str, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    frame.render_widget(Paragraph::new(text).style(theme.header()), area);
}

/// The bottom line: what is going on, what went wrong, or which keys there are.
fn status(app: &App, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let line = match (&app.running, &app.message) {
        (Some(running), _) => {
            let text = format!(" {} ... (Esc cancels)", running.text);
            Line::styled(text, theme.strong())
        }
        (None, Some(_)) => Line::styled(" any key goes on", theme.strong()),
        (None, None) => {
            let below = match app.screen().filter(|_| app.view == View::Stop) {
                Some(screen) => {
                    stop_screen::lines_below(screen, app.screen_scroll, area.width, area.y)
                }
                None => 0,
            };
            let down = theme.key(named(KeyCode::Down));
            let below = match below {
                0 => String::new(),
                1 => format!(" {down} 1 more line "),
                n => format!(" {down} {n} more lines "),
            };
            let width = area.width - below.chars().count() as u16;
            let mut line = hints(app.view, theme, width);
            line.spans.insert(0, Span::styled(below, theme.header()));
            line
        }
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// The hints of a view, as many as fit; help comes first, because it is the way to the others.
fn hints(view: View, theme: &Theme, width: u16) -> Line<'static> {
    let here = commands::in_view(view).filter(|command| !command.hint.is_empty());
    let (help, others): (Vec<_>, Vec<_>) = here.partition(|command| command.id == "help");
    let any = (view == View::Stop).then(|| ("any key".to_owned(), "the trace".to_owned()));
    let hint = |command: &&Command| {
        let key = theme.key(command.keys[0]);
        let key = match commands::reverse(view, command) {
            Some(back) => format!("{key}/{}", theme.key(back)),
            None => key,
        };
        (key, command.hint.to_owned())
    };
    let all = any
        .into_iter()
        .chain(others.iter().map(hint))
        .collect::<Vec<_>>();
    let help: Vec<_> = help.iter().map(hint).collect();
    let size = |(key, hint): &(String, String)| key.chars().count() + hint.chars().count() + 3;
    let mut room = usize::from(width).saturating_sub(help.iter().map(size).sum());
    let mut shown = Vec::new();
    for hint in all {
        match room.checked_sub(size(&hint)) {
            Some(rest) => room = rest,
            None => continue,
        }
        shown.push(hint);
    }
    shown.extend(help);
    let spans = shown.into_iter().flat_map(|(key, hint)| {
        [
            Span::styled(format!(" {key}"), theme.strong()),
            Span::raw(format!(" {hint} ")),
        ]
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// The frame of a pane; the one with the focus also has a mark.
pub fn pane<'a>(title: &str, focus: bool, theme: &Theme) -> Block<'a> {
    let style = if focus { theme.focus() } else { Style::new() };
    let mark = if focus { "▸" } else { "" };
    // Neighbours share a border.
    Block::bordered()
        .merge_borders(MergeStrategy::Exact)
        .border_style(style)
        .title(Line::styled(format!("{mark}{title}"), style))
}

/// The lines that are shown in so many rows when line `at` is to be seen.
pub fn scrolled(mut lines: Vec<Line<'_>>, at: usize, rows: u16) -> Vec<Line<'_>> {
    let rows = usize::from(rows);
    let top = top_of(at, lines.len(), rows);
    lines.drain(..top);
    lines.truncate(rows);
    lines
}

/// The first line that is shown when line `at` of `lines` is to be in the middle, if it can.
pub fn top_of(at: usize, lines: usize, rows: usize) -> usize {
    at.saturating_sub(rows / 2).min(lines.saturating_sub(rows))
}

/// Text broken at spaces into lines of `width` cells; spaces within a line are kept.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(16);
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let line = lines.last_mut().expect("there is always a line");
        let needed = line.chars().count() + word.trim_end().chars().count();
        if needed > width && !line.trim().is_empty() {
            lines.push(word.to_owned());
        } else {
            line.push_str(word);
        }
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_long_words_are_kept() {
        let cases: [(&str, &[&str]); 4] = [
            ("", &[]),
            (
                "one two three four five six",
                &["one two three", "four five six"],
            ),
            ("a column    and another", &["a column    and", "another"]),
            (
                "averylongwordindeed_and_more next",
                &["averylongwordindeed_and_more", "next"],
            ),
        ];
        for (text, lines) in cases {
            assert_eq!(wrapped(text, 16), lines);
        }
    }

    #[test]
    fn what_is_selected_is_in_sight() {
        for lines in 0..30 {
            for rows in 1..12 {
                for at in 0..lines {
                    let top = top_of(at, lines, rows);
                    assert!((top..top + rows).contains(&at), "{at} of {lines} in {rows}");
                    assert!(top + rows <= lines.max(rows), "no empty rows at the end");
                }
            }
        }
    }
}
