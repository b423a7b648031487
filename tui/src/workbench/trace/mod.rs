//! The post-mortem of a run: lanes of IRQL and events, the code, and panes of reasons, stacks and
//! events, all at one moment.

mod code;
mod compare;
mod diff;
mod events;
pub mod findings;
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

pub use compare::Diff;
pub use diff::cell;
pub use pane::Pane;
#[cfg(test)]
pub use record::Moment;
pub use record::{Trace, short_place};
pub use state::{Forked, Scene, TraceState};

use super::theme::{Target, Theme};
use super::view::{pane, top_of};
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
    let (which, of, was) = match &state.forked {
        // How the other one ended is worth more than how long this one is.
        Some(forked) => {
            let was = end(&forked.from.trace.report.stop);
            let was = was.trim_start_matches("STOP ").to_owned();
            (forked.how.clone(), String::new(), format!(", was {was}"))
        }
        None => {
            let seed = format!("seed {}", run.seed);
            (seed, format!(" of {}", run.choices), String::new())
        }
    };
    format!(
        " {} │ {} {}c {} │ {which} │ {at}{of} │ {}{was}",
        run.scenario,
        run.profile.name(),
        run.cpus,
        run.personality,
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

/// What a pane shows.
#[derive(Default)]
struct Body {
    lines: Vec<Line<'static>>,
    /// The line that is to be seen.
    at: usize,
    /// Of each line, the row that it is about, for who points to it.
    rows: Vec<Option<usize>>,
}

fn draw_pane(state: &TraceState, which: Pane, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let focus = state.pane == which;
    theme.place(Target::Pane(which.number()), area);
    let width = usize::from(area.width.saturating_sub(2));
    let rows = usize::from(area.height.saturating_sub(2));
    let mut body = match which {
        Pane::Timeline => return lanes::draw(state, theme, frame, area),
        Pane::Code => return code::draw(state, theme, frame, area),
        Pane::Why => why::body(state, theme, width, rows),
        Pane::Events => events::body(state, theme, rows),
        Pane::Run => Body {
            lines: run::lines(state, theme, width),
            ..Body::default()
        },
        Pane::Diff => diff::body(state, theme, width, rows),
        Pane::Notes => notes::body(state, theme),
        Pane::Scene(_) => table::body(state, which, theme, width, rows),
    };
    let names = tabs(which, width.saturating_sub(1));
    let mark = u16::from(focus);
    let mut block = pane(&names.concat(), focus, theme);
    if which == Pane::Why {
        let (how, saved) = why::ending(state, width);
        if !how.is_empty() {
            block = block.title_bottom(Line::styled(how, theme.alarm()));
        }
        if !saved.is_empty() {
            block = block.title_bottom(Line::styled(saved, theme.strong()).right_aligned());
        }
    }
    if let (Pane::Scene(_), Some(at)) = (which, state.behind()) {
        let text = format!(" the machine behind all events at {at} ");
        block = block.title_bottom(Line::styled(text, theme.faint()).right_aligned());
    }
    let inner = block.inner(area);
    let top = match which {
        // This one scrolls by lines, the others follow what is selected.
        Pane::Run => state.scroll.min(body.lines.len().saturating_sub(rows)),
        _ => top_of(body.at, body.lines.len(), rows),
    };
    body.lines.drain(..top);
    body.lines.truncate(rows);
    for (y, row) in body.rows.iter().skip(top).take(rows).enumerate() {
        if let Some(row) = row {
            let y = inner.y + y as u16;
            let height = 1;
            theme.place(
                Target::Line(which.number(), *row),
                Rect { y, height, ..inner },
            );
        }
    }
    let mut x = area.x + 1 + mark;
    for (name, tab) in names.iter().zip(shown_tabs(which, &names)) {
        let width = name.chars().count() as u16;
        let place = Rect {
            x,
            width,
            height: 1,
            y: area.y,
        };
        theme.place(Target::Pane(tab.number()), place);
        x += width;
    }
    frame.render_widget(Paragraph::new(body.lines).block(block), area);
}

/// The titles of the panes that share a place, the shown one in brackets, as many of its neighbours
/// as there is room for.
fn tabs(shown: Pane, room: usize) -> Vec<String> {
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
    names[first..last].to_vec()
}

/// The panes of these titles: the shown one is among them, and the others are its neighbours.
fn shown_tabs(shown: Pane, names: &[String]) -> Vec<Pane> {
    let tabs = Pane::tabs();
    let own = names.iter().position(|name| name.starts_with('['));
    let at = tabs.iter().position(|pane| *pane == shown).unwrap_or(0);
    let first = at.saturating_sub(own.unwrap_or(0));
    tabs.into_iter().skip(first).take(names.len()).collect()
}
