//! Two runs side by side: their lanes over the aligned events, and the events themselves, this run
//! on the left.

use emu::report::Height;
use emu::scene::mark::Mark;
use ratatui::text::{Line, Span};

use super::super::theme::Theme;
use super::super::view::top_of;
use super::Body;
use super::compare::{Diff, Row};
use super::pane::Pane;
use super::record::Trace;
use super::state::TraceState;

/// Cells before a lane.
const LABEL: usize = 5;
/// Rows of events that are left if lanes are shown.
const EVENTS: usize = 6;

/// Lanes, if there is room for them, and the rows around the selected one.
pub fn body(state: &TraceState, theme: &Theme, width: usize, rows: usize) -> Body {
    let (Some(diff), Some(other)) = (&state.diff, &state.other) else {
        let text = [
            "nothing to compare with: f at a choice decides differently, and compares;",
            ":diff FILE compares with a recorded run",
        ];
        return Body {
            lines: text.map(Line::from).to_vec(),
            ..Body::default()
        };
    };
    let half = width.saturating_sub(5) / 2;
    let heading = format!(
        "{} events in common; then this run, and {}",
        diff.common, diff.other
    );
    let mut lines = vec![Line::styled(heading, theme.strong())];
    let selected = diff.selected(state.row);
    let all = state.trace.lanes.cpus() + other.lanes.cpus();
    if rows > all + EVENTS {
        lines.extend(lanes(diff, &state.trace, other, theme, width, selected));
    }
    let mut about = vec![None; lines.len()];
    let room = rows.saturating_sub(lines.len());
    let top = top_of(selected, diff.rows.len(), room);
    let shown = diff.rows.iter().enumerate().skip(top).take(room);
    about.extend(shown.clone().map(|(i, _)| Some(i)));
    lines.extend(shown.map(|(i, &(this, that))| {
        let sign = match (this, that) {
            (Some(_), Some(_)) => '│',
            (Some(_), None) => '<',
            _ => '>',
        };
        let text = format!(
            "{} {sign} {}",
            cell(&state.trace, this, half),
            cell(other, that, half)
        );
        let line = Line::from(text);
        match (i == selected && state.pane == Pane::Diff, sign) {
            (true, _) => line.style(theme.selected()),
            (false, '│') => line.style(theme.faint()),
            _ => line,
        }
    }));
    Body {
        lines,
        at: 0,
        rows: about,
    }
}

/// An event in so many cells; spaces where there is none.
pub fn cell(trace: &Trace, event: Option<usize>, width: usize) -> String {
    let Some(moment) = event.and_then(|i| trace.moments.get(i)) else {
        return " ".repeat(width);
    };
    let text = format!("{} c{} {}", moment.at, moment.core, moment.text);
    let text: String = text.chars().take(width).collect();
    format!("{text:<width$}")
}

/// A lane for each core of this run and of the other, a cell for each row: what only one of them
/// did leaves the other's lanes empty.
fn lanes(
    diff: &Diff,
    this: &Trace,
    other: &Trace,
    theme: &Theme,
    width: usize,
    selected: usize,
) -> Vec<Line<'static>> {
    let cells = width.saturating_sub(LABEL);
    let top = top_of(selected, diff.rows.len(), cells);
    let rows = &diff.rows[top..(top + cells).min(diff.rows.len())];
    let mut lines = Vec::new();
    let mut add = |trace: &Trace, sign: char, event: fn(&Row) -> Option<usize>| {
        let first = diff.rows[top..].iter().find_map(event);
        let mut heights = trace
            .lanes
            .heights_before(first.unwrap_or(trace.moments.len()));
        let mut texts = vec![String::new(); trace.lanes.cpus()];
        for row in rows {
            let spot = event(row).and_then(|i| trace.lanes.spot(i));
            for (core, text) in texts.iter_mut().enumerate() {
                let own = spot.filter(|spot| usize::from(spot.core) == core);
                if let Some(spot) = own {
                    heights[core] = spot.height;
                }
                let mark = own.and_then(|spot| spot.mark);
                text.push(match (spot, mark) {
                    (None, _) => ' ',
                    (_, Some(mark)) if mark != Mark::Choice => mark.letter(),
                    _ => Height::mark(heights[core]),
                });
            }
        }
        for (core, text) in texts.into_iter().enumerate() {
            let label = format!("{sign}c{core}");
            let at = selected - top;
            let part = |range: std::ops::Range<usize>| -> String {
                text.chars().skip(range.start).take(range.len()).collect()
            };
            lines.push(Line::from(vec![
                Span::raw(format!("{label:<LABEL$}{}", part(0..at))),
                Span::styled(part(at..at + 1), theme.selected()),
                Span::raw(part(at + 1..cells)),
            ]));
        }
    };
    add(this, '<', |row| row.0);
    add(other, '>', |row| row.1);
    lines
}
