//! The mouse: a click chooses what it points to, one on what is chosen follows it, and the wheel goes
//! through it. Whatever it does, keys
//! do as well.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::app::{App, Overlay, View};
use super::theme::{Target, Theme};
use super::trace::Pane;

/// The mouse did something where the last frame of this theme has something.
pub fn mouse(app: &mut App, event: MouseEvent, theme: &Theme) {
    let target = theme.target(event.column, event.row);
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => click(app, target),
        MouseEventKind::ScrollDown => wheel(app, target, 1),
        MouseEventKind::ScrollUp => wheel(app, target, -1),
        _ => {}
    }
}

fn click(app: &mut App, target: Option<Target>) {
    app.message = None;
    if !matches!(app.overlay, Overlay::None) {
        app.overlay = Overlay::None;
        return;
    }
    match (app.view, target) {
        (View::Home, Some(Target::Row(row))) => app.home.choose(row),
        (View::Home, Some(Target::Field(field))) => app.home.at = Some(field),
        (View::Search, Some(Target::Group(group))) => {
            if let Some(search) = &mut app.search {
                search.select_at(group);
            }
        }
        (View::Trace, Some(Target::Pane(number))) => {
            app.focus_pane(&[number.to_string()]);
        }
        (View::Trace, Some(Target::Event(event))) => app.go_to_event(event),
        (View::Trace, Some(Target::Line(pane, row))) => drop(app.select_row(pane, row)),
        (View::Stop, _) => drop(app.show_trace()),
        _ => {}
    }
}

fn wheel(app: &mut App, target: Option<Target>, by: isize) {
    if let Overlay::Text(text) = &mut app.overlay {
        text.scroll(3 * by);
        return;
    }
    match (app.view, target) {
        (View::Home, _) => drop(app.home.go(by)),
        (View::Search, _) => drop(app.select_group(by)),
        (View::Stop, _) => drop(app.scroll_screen(by)),
        (View::Trace, Some(target)) => {
            let number = match target {
                Target::Pane(number) | Target::Line(number, _) => number,
                _ => Pane::Timeline.number(),
            };
            app.focus_pane(&[number.to_string()]);
            app.move_in_pane(by);
        }
        (View::Trace, None) => {}
    }
}
