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
    point_at(app, kind, column, row);
}

/// Does something with the mouse at a cell of the terminal.
fn point_at(app: &mut App, kind: MouseEventKind, column: u16, row: u16) {
    let theme = Theme::new(Depth::None, false);
    drawn(app, 80, 24, &theme);
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
    point(&mut app, CLICK, "processors");
    let entry = app.home.entry().unwrap();
    assert_eq!(entry.name(app.home.field().unwrap()), "processors");
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
    point(&mut app, CLICK, "1 Timeline");
    assert_eq!(app.trace.as_ref().unwrap().pane, Pane::Timeline);
    press(&mut app, "?");
    point(&mut app, CLICK, "Help");
    assert!(!text(&app, 80, 24).contains("Help"), "it leaves the help");
}

#[test]
fn a_click_selects_rows_tabs_and_events() {
    let mut app = after(sample::stopped());
    press(&mut app, " ");
    let state = |app: &App| {
        let state = app.trace.as_ref().unwrap();
        (state.pane, state.why, state.focus.at.choice)
    };
    // A reason goes to its moment.
    point(&mut app, CLICK, "free ");
    assert_eq!(state(&app), (Pane::Why, 2, 21));
    // A title opens its pane, and keeps the moment.
    point(&mut app, CLICK, "4 Cores");
    let (pane, _, at) = state(&app);
    assert_eq!((pane.name(), at), ("cores", 21));
    press(&mut app, ":pane events<enter><home>");
    point(&mut app, CLICK, "alloc Smpl 0x40");
    assert_eq!(state(&app), (Pane::Events, 2, 2));
    // The lanes: 'f' is the free of choice 21.
    let cursor = |app: &App| {
        let state = app.trace.as_ref().unwrap();
        state.moment().unwrap().text.to_string()
    };
    press(&mut app, ":go end<enter>");
    let screen = text(&app, 80, 24);
    let (row, line) = screen
        .lines()
        .enumerate()
        .find(|(_, l)| l.contains("│c1"))
        .unwrap();
    let lane: Vec<char> = line.chars().collect();
    let column = (5..lane.len()).find(|&x| lane[x] == 'f').unwrap();
    point_at(&mut app, CLICK, column as u16, row as u16);
    assert_eq!(cursor(&app), "free  Smpl 0x40");
    assert_eq!(app.trace.as_ref().unwrap().pane, Pane::Timeline);
}

#[test]
fn a_second_click_follows_the_row() {
    let mut app = real::found("");
    let mut travellers = Vec::new();
    press(&mut app, " :pane pool<enter>");
    scripts::serve(&mut app, &mut travellers, &Effect::None);
    let at = |app: &App| app.trace.as_ref().unwrap().focus.at;
    let end = at(&app);
    point(&mut app, CLICK, "NatP");
    assert_eq!(at(&app), end, "it is selected first");
    point(&mut app, CLICK, "NatP");
    assert!(at(&app) < end, "then it is gone to");
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
