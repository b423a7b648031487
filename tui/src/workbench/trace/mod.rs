//! The post-mortem of a run: lanes of IRQL and events, the code, and panes of reasons, stacks and
//! events, all at one moment.

mod code;
mod events;
mod lanes;
mod mark;
mod record;
mod run;
mod stacks;
mod state;
mod why;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

pub use mark::Mark;
#[cfg(test)]
pub use record::Moment;
pub use record::Trace;
pub use state::{Axis, Pane, TraceState};

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
    let end = match &state.trace.report.stop {
        StopLine::Bugcheck(line) => format!("STOP 0x{:08X}", line.code),
        other => other.kind().to_owned(),
    };
    let at = state
        .moment()
        .map_or("-".into(), |moment| moment.at.to_string());
    format!(
        " {} │ {} {}c {} │ seed {} │ {at} of {} │ {end}",
        run.scenario,
        run.profile.name(),
        run.cpus,
        run.personality,
        run.seed,
        run.choices
    )
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
        Pane::Stacks => (String::new(), stacks::lines(state, theme), state.scroll),
        Pane::Events => {
            let rows = usize::from(area.height.saturating_sub(2));
            let (lines, at) = events::lines(state, theme, rows);
            (events::left_out(state), lines, at)
        }
        Pane::Run => (String::new(), run::lines(state, theme, width), state.scroll),
    };
    let block = pane(&format!("{}{title}", tabs(which)), focus, theme);
    let lines = match which {
        // These scroll by lines, the others follow what is selected.
        Pane::Stacks | Pane::Run => {
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

/// The titles of the panes that share a place, the shown one first named in brackets.
fn tabs(shown: Pane) -> String {
    let names = Pane::TABS.map(|pane| match pane == shown {
        true => format!("[{} {}]", pane.number(), pane.name()),
        false => format!(" {} {} ", pane.number(), pane.name()),
    });
    names.concat()
}
