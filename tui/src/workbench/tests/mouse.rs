//! Clicks and the wheel.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;
use crate::workbench::mouse::mouse;
use crate::workbench::trace::Pane;

/// Does something with the mouse at the first place where the screen has this text.
#[track_caller]
fn point(app: &mut App, kind: MouseEventKind, at: &str) {
    let theme = Theme::new(Depth::None, false);
    let screen = text_of(&drawn(app, 80, 24, &theme));
    let found = screen.lines().enumerate().find_map(|(row, line)| {
        let column = line.find(at)?;
        Some((line[..column].chars().count() as u16, row as u16))
    });
    let (column, row) = found.unwrap_or_else(|| panic!("{at:?} is not there:\n{screen}"));
    let event = MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    };
    mouse(app, event, &theme);
}

const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

#[test]
fn a_click_chooses_what_it_points_to() {
    let mut app = workbench();
    point(&mut app, CLICK, "port  ");
    assert_eq!(app.home.row().unwrap().name(), "port");
    point(&mut app, CLICK, "granularity");
    let entry = app.home.entry().unwrap();
    assert_eq!(entry.name(app.home.field().unwrap()), "granularity");
    point(&mut app, CLICK, "q252664");
    assert_eq!(app.home.row().unwrap().name(), "q252664");
    assert_eq!(app.home.at, None);

    let mut app = sample::searching(3);
    point(&mut app, CLICK, "completed");
    assert_eq!(app.search.as_ref().unwrap().selected, 0);
    point(&mut app, CLICK, "sample.sys!drain");
    assert_eq!(app.search.as_ref().unwrap().selected, 1);

    let mut app = after(sample::stopped());
    point(&mut app, CLICK, "STOP:");
    assert_eq!(app.view, View::Trace);
    point(&mut app, CLICK, "c1  ");
    assert_eq!(app.trace.as_ref().unwrap().pane, Pane::Timeline);
    press(&mut app, "?");
    point(&mut app, CLICK, "Help");
    assert!(!text(&app, 80, 24).contains("Help"), "it leaves the help");
}

#[test]
fn the_wheel_goes_through_what_it_is_over() {
    let mut app = workbench();
    point(&mut app, MouseEventKind::ScrollDown, "kb931322");
    assert_eq!(app.home.row().unwrap().name(), "port");
    let mut app = after(sample::stopped());
    press(&mut app, " ");
    let before = app.trace.as_ref().unwrap().cursor;
    point(&mut app, MouseEventKind::ScrollUp, "c1  ");
    assert_eq!(app.trace.as_ref().unwrap().pane, Pane::Timeline);
    assert_eq!(app.trace.as_ref().unwrap().cursor, before - 1);
    // The title line is nobody's.
    point(&mut app, MouseEventKind::ScrollUp, "sample │");
    assert_eq!(app.trace.as_ref().unwrap().cursor, before - 1);
}
