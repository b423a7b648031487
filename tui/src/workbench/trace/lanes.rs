//! The timeline: a lane for each core, with IRQL as height and events as letters.

use emu::report::Height;
use emu::scene::lanes::{Decided, Sum};
use emu::scene::mark::Mark;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::super::theme::{Target, Theme};
use super::super::view::pane;
use super::pane::Pane;
use super::state::TraceState;

/// Cells before a lane: the core's name.
const LABEL: usize = 4;
/// Cells between two positions of the axis.
const TICK: usize = 16;

/// The height of the whole pane with all lanes.
pub fn height(state: &TraceState) -> u16 {
    // Borders, axis and choices.
    u16::from(state.trace.report.run.cpus) + 4
}

/// Draws it.
pub fn draw(state: &TraceState, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let title = format!(
        "1 Timeline── 1 cell = {} event{} ",
        state.cell,
        plural(state.cell)
    );
    let room = usize::from(area.width).saturating_sub(title.chars().count() + 5);
    let mut block = pane(&title, state.pane == Pane::Timeline, theme);
    if let Some(event) = event(state, room) {
        block = block.title(Line::styled(event, theme.mark()).right_aligned());
    }
    let inner = block.inner(area);
    let (lines, events) = lines(state, theme, inner.width.into(), inner.height.into());
    for (x, event) in events.into_iter().enumerate() {
        let place = Rect {
            x: inner.x + (LABEL + x) as u16,
            width: 1,
            ..inner
        };
        theme.place(Target::Event(event), place);
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// The event at the cursor, in as many characters: what its letter and its height stand for.
fn event(state: &TraceState, room: usize) -> Option<String> {
    let moment = state.moment()?;
    let spot = state.trace.lanes.spot(state.cursor)?;
    let letter = spot
        .mark
        .map_or(String::new(), |mark| format!("{} ", mark.letter()));
    let (core, text) = (moment.core, &moment.text);
    let since = if state.on_event { "" } else { "last: " };
    let whole = format!(" {since}c{core} {} {letter}{text} ", spot.height.mark());
    Some(match whole.chars().count() <= room {
        true => whole,
        false => whole
            .chars()
            .take(room.checked_sub(2)?)
            .chain("… ".chars())
            .collect(),
    })
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// Axis, lanes and choices in so many columns and rows. If there are more cores than rows, the
/// lanes around the cursor's core are shown. Also the first event of each cell.
fn lines(
    state: &TraceState,
    theme: &Theme,
    width: usize,
    rows: usize,
) -> (Vec<Line<'static>>, Vec<usize>) {
    let width = width.saturating_sub(LABEL + 1);
    let window = Window::around(state, width);
    let cpus = state.trace.lanes.cpus();
    let lanes = rows.saturating_sub(2).clamp(1, cpus.max(1));
    let own = state.moment().map_or(0, |moment| usize::from(moment.core));
    let first = super::super::view::top_of(own, cpus, lanes);
    let before = state.trace.lanes.heights_before(window.start);
    let mut lines = vec![window.axis(width)];
    for core in first..(first + lanes).min(cpus) {
        lines.push(window.lane(core as u8, &before, theme));
    }
    lines.push(window.choices(theme));
    let starts = (0..window.cells.len()).map(|cell| window.start + cell * state.cell);
    (lines, starts.collect())
}

/// The part of the trace that is in sight.
struct Window<'a> {
    state: &'a TraceState,
    /// The first event of the first cell.
    start: usize,
    /// What is in each cell: of each core, and what is decided.
    cells: Vec<(Vec<Sum>, Decided)>,
    /// The cell of the cursor.
    cursor: usize,
}

impl<'a> Window<'a> {
    fn around(state: &'a TraceState, cells: usize) -> Window<'a> {
        let lanes = &state.trace.lanes;
        let at = state.cursor / state.cell;
        let all = lanes.len().div_ceil(state.cell);
        let first = super::super::view::top_of(at, all, cells);
        let shown = first..(first + cells).min(all);
        Window {
            state,
            start: first * state.cell,
            cells: shown
                .map(|cell| lanes.cell(cell * state.cell, state.cell))
                .collect(),
            cursor: at - first,
        }
    }

    /// Positions at every few cells, and a mark above the cursor.
    fn axis(&self, width: usize) -> Line<'static> {
        let mut text: Vec<char> = vec![' '; width];
        for cell in (0..self.cells.len()).step_by(TICK) {
            let event = self.start + cell * self.state.cell;
            let Some(moment) = self.state.trace.moments.get(event) else {
                break;
            };
            for (i, c) in moment.at.to_string().chars().take(TICK - 1).enumerate() {
                if let Some(slot) = text.get_mut(cell + i) {
                    *slot = c;
                }
            }
        }
        if let Some(slot) = text.get_mut(self.cursor) {
            *slot = '▼';
        }
        let text: String = text.into_iter().collect();
        Line::from(format!("{:LABEL$}{}", "", text.trim_end()))
    }

    fn lane(&self, core: u8, before: &[Height], theme: &Theme) -> Line<'static> {
        let mut height = before[usize::from(core)];
        let mut lane = Cells::new(theme);
        lane.plain(&format!("c{core:<0$}", LABEL - 1));
        for (cell, (sums, _)) in self.cells.iter().enumerate() {
            let sum = sums[usize::from(core)];
            // The highest level in the cell is shown, and it goes on with the last.
            let highest = sum.highest.max(height);
            if sum.last != Height::Unknown {
                height = sum.last;
            }
            if let Some(mark) = sum.mark {
                let style = match mark {
                    Mark::Bugcheck | Mark::Fault => theme.alarm(),
                    _ => theme.mark(),
                };
                lane.styled(mark.letter(), style, cell == self.cursor);
            } else if cell == self.cursor {
                lane.mark('┃', false);
            } else {
                lane.plain(highest.mark().encode_utf8(&mut [0; 4]));
            }
        }
        lane.line()
    }

    /// The choices of the schedule.
    fn choices(&self, theme: &Theme) -> Line<'static> {
        let mut line = Cells::new(theme);
        line.plain(&format!("{:<LABEL$}", '◆'));
        for (cell, (_, decided)) in self.cells.iter().enumerate() {
            match decided {
                Decided::Deviates => line.mark(Mark::Choice.letter(), cell == self.cursor),
                Decided::Choices => line.mark('◇', cell == self.cursor),
                Decided::Nothing if cell == self.cursor => line.mark('┃', false),
                Decided::Nothing => line.plain(" "),
            }
        }
        line.line()
    }
}

/// A line that grows cell by cell.
struct Cells<'a> {
    theme: &'a Theme,
    spans: Vec<Span<'static>>,
    plain: String,
}

impl<'a> Cells<'a> {
    fn new(theme: &'a Theme) -> Self {
        Cells {
            theme,
            spans: Vec::new(),
            plain: String::new(),
        }
    }

    fn plain(&mut self, text: &str) {
        self.plain += text;
    }

    fn mark(&mut self, letter: char, cursor: bool) {
        self.styled(letter, self.theme.mark(), cursor);
    }

    /// A letter; under the cursor it is shown reversed.
    fn styled(&mut self, letter: char, style: Style, cursor: bool) {
        self.flush();
        let style = if cursor { self.theme.selected() } else { style };
        self.spans.push(Span::styled(letter.to_string(), style));
    }

    fn flush(&mut self) {
        if !self.plain.is_empty() {
            self.spans.push(Span::raw(std::mem::take(&mut self.plain)));
        }
    }

    fn line(mut self) -> Line<'static> {
        self.flush();
        Line::from(self.spans)
    }
}
