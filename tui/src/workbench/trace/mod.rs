//! The post-mortem of a run: lanes of IRQL and events, the code, and panes of reasons, stacks and
//! events, all at one moment.

mod code;
mod diff;
mod events;
mod lanes;
mod notes;
mod pane;
mod record;
mod run;
mod state;
mod table;
mod why;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

pub use diff::Diff;
pub use pane::Pane;
#[cfg(test)]
pub use record::Moment;
pub use record::Trace;
pub use state::{Scene, TraceState};

use super::theme::{Target, Theme};
use super::view::{pane, scrolled};
use emu::report::StopLine;

/// Smallest size, without the lines at the top and at the bottom, that shows several panes.
const SEVERAL: (u16, u16) = (80, 22);
/// From this width on code and reasons stand side by side.
const WIDE: u16 = 110;

/// What was run, where the cursor is, and how the run ended.
pub fn header(state: &TraceState) -> String {
    let run = &state.trace.report.run;
    let at = match state.trace.moments.is_empty() {
        true => "-".into(),
        false => state.focus.at.to_string(),
    };
    let (which, forked) = match &state.forked {
        Some((from, choice)) => {
            let was = end(&from.trace.report.stop);
            ("fork".into(), format!(" │ at choice {choice}, was {was}"))
        }
        None => (format!("seed {}", run.seed), String::new()),
    };
    format!(
        " {} │ {} {}c {} │ {which} │ {at} of {} │ {}{forked}",
        run.scenario,
        run.profile.name(),
        run.cpus,
        run.personality,
        run.choices,
        end(&state.trace.report.stop)
    )
}

/// How a run ended, in a word or two.
pub fn end(stop: &StopLine) -> String {
    match stop {
        StopLine::Bugcheck(line) => format!("STOP 0x{:08X}", line.code),
        other => other.kind().to_owned(),
    }
}

/// Draws the trace.
pub fn draw(state: &TraceState, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    if state.zoomed || area.width < SEVERAL.0 || area.height < SEVERAL.1 {
        draw_pane(state, state.pane, theme, frame, area);
        return;
    }
    let lanes = lanes::height(state).min(area.height / 3);
    if area.width >= WIDE {
        let rows = [Constraint::Length(lanes), Constraint::Min(0)];
        let [top, bottom] = Layout::vertical(rows).spacing(-1).areas(area);
        let columns = [Constraint::Percentage(45), Constraint::Min(0)];
        let [left, right] = Layout::horizontal(columns).spacing(-1).areas(bottom);
        draw_pane(state, Pane::Timeline, theme, frame, top);
        draw_pane(state, Pane::Code, theme, frame, left);
        draw_pane(state, state.tab, theme, frame, right);
        return;
    }
    let code = (area.height + 2 - lanes) * 2 / 5;
    let rows = [
        Constraint::Length(lanes),
        Constraint::Length(code),
        Constraint::Min(0),
    ];
    let [top, middle, bottom] = Layout::vertical(rows).spacing(-1).areas(area);
    draw_pane(state, Pane::Timeline, theme, frame, top);
    draw_pane(state, Pane::Code, theme, frame, middle);
    draw_pane(state, state.tab, theme, frame, bottom);
}

fn draw_pane(state: &TraceState, which: Pane, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let focus = state.pane == which;
    theme.place(Target::Pane(which.number()), area);
    let width = usize::from(area.width.saturating_sub(2));
    let (title, lines, at) = match which {
        Pane::Timeline => return lanes::draw(state, theme, frame, area),
        Pane::Code => return code::draw(state, theme, frame, area),
        Pane::Why => {
            let (lines, at) = why::lines(state, theme, width);
            (String::new(), lines, at)
        }
        Pane::Events => {
            let rows = usize::from(area.height.saturating_sub(2));
            let (lines, at) = events::lines(state, theme, rows);
            (String::new(), lines, at)
        }
        Pane::Run => (String::new(), run::lines(state, theme, width), state.scroll),
        Pane::Diff => {
            let rows = usize::from(area.height.saturating_sub(2));
            (String::new(), diff::lines(state, theme, width, rows), 0)
        }
        Pane::Notes => {
            let (lines, at) = notes::lines(state, theme);
            (String::new(), lines, at)
        }
        Pane::Scene(_) => {
            let rows = usize::from(area.height.saturating_sub(2));
            (String::new(), table::lines(state, which, theme, rows), 0)
        }
    };
    let room = width.saturating_sub(title.chars().count() + 1);
    let block = pane(&format!("{}{title}", tabs(which, room)), focus, theme);
    let lines = match which {
        // This one scrolls by lines, the others follow what is selected.
        Pane::Run => {
            let rows = usize::from(block.inner(area).height);
            let top = at.min(lines.len().saturating_sub(rows));
            lines
                .into_iter()
                .skip(top)
                .take(rows)
                .collect::<Vec<Line<'_>>>()
        }
        _ => scrolled(lines, at, block.inner(area).height),
    };
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// The titles of the panes that share a place, the shown one in brackets, as many of its neighbours
/// as there is room for.
fn tabs(shown: Pane, room: usize) -> String {
    let tabs = Pane::tabs();
    let name = |pane: &Pane| {
        let number = match pane.number() {
            number @ 1..=9 => format!("{number} "),
            _ => String::new(),
        };
        match *pane == shown {
            true => format!("[{number}{}]", pane.title()),
            false => format!(" {number}{} ", pane.title()),
        }
    };
    let names: Vec<String> = tabs.iter().map(name).collect();
    let at = tabs.iter().position(|pane| *pane == shown).unwrap_or(0);
    let size = |range: std::ops::Range<usize>| -> usize {
        names[range].iter().map(|name| name.chars().count()).sum()
    };
    let mut first = 0;
    while first < at && size(first..at + 1) > room {
        first += 1;
    }
    let mut last = at + 1;
    while last < names.len() && size(first..last + 1) <= room {
        last += 1;
    }
    names[first..last].concat()
}
