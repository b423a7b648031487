//! The cursor on a trace and what is shown around it.

use ratatui::crossterm::event::KeyCode;

use super::super::keys::Key;
use super::code::CodeView;
use super::mark::Mark;
use super::record::{Moment, Trace};

/// A trace that is looked at.
pub struct TraceState {
    /// The trace.
    pub trace: Trace,
    /// The event shown, by index.
    pub cursor: usize,
    /// The pane with the focus.
    pub pane: Pane,
    /// The one of the panes below that is shown.
    pub tab: Pane,
    /// The focused pane fills the screen.
    pub zoomed: bool,
    /// The selected step of the reasons.
    pub why: usize,
    /// First line of the panes that scroll by lines.
    pub scroll: usize,
    /// Events in a cell of the timeline: a power of two.
    pub cell: usize,
    /// The code at the cursor.
    pub code: CodeView,
}

/// The panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The lanes.
    Timeline,
    /// Source and disassembly.
    Code,
    /// The reasons of the stop.
    Why,
    /// The call stacks.
    Stacks,
    /// The events.
    Events,
    /// The run, the event log, and the line that repeats it.
    Run,
}

impl Pane {
    /// In the order of their numbers.
    pub const ALL: [Pane; 6] = [
        Self::Timeline,
        Self::Code,
        Self::Why,
        Self::Stacks,
        Self::Events,
        Self::Run,
    ];
    /// Those that share a place.
    pub const TABS: [Pane; 4] = [Self::Why, Self::Stacks, Self::Events, Self::Run];

    /// Its title.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeline => "Timeline",
            Self::Code => "Code",
            Self::Why => "Why",
            Self::Stacks => "Stacks",
            Self::Events => "Events",
            Self::Run => "Run",
        }
    }

    /// Its number, from 1: the key that gives it the focus.
    pub fn number(self) -> usize {
        Self::ALL
            .iter()
            .position(|pane| *pane == self)
            .map_or(0, |i| i + 1)
    }

    /// The pane of a digit.
    pub fn numbered(key: Key) -> Option<Pane> {
        let digit = match key {
            Key::Digit(digit) | Key::Plain(KeyCode::Char(digit)) => digit.to_digit(10)?,
            _ => return None,
        };
        Self::ALL.get((digit as usize).checked_sub(1)?).copied()
    }
}

/// Along what the cursor moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// All events.
    Event,
    /// The choices of the schedule.
    Choice,
    /// The events of the core.
    Core,
    /// To the first or the last event.
    End,
}

impl TraceState {
    /// The trace at its end: where the run stopped.
    pub fn new(trace: Trace) -> TraceState {
        let mut state = TraceState {
            cursor: trace.moments.len().saturating_sub(1),
            pane: Pane::Why,
            tab: Pane::Why,
            zoomed: false,
            why: trace.report.why.len().saturating_sub(1),
            scroll: 0,
            cell: 1,
            code: CodeView::default(),
            trace,
        };
        if state.trace.report.why.is_empty() {
            state.focus(Pane::Events);
        }
        state.go(state.cursor);
        state
    }

    /// The event at the cursor; `None` if the run has none.
    pub fn moment(&self) -> Option<&Moment> {
        self.trace.moments.get(self.cursor)
    }

    fn go(&mut self, to: usize) {
        self.cursor = to;
        self.code = CodeView::at(&self.trace, to);
    }

    /// Moves the cursor; where nothing more is on the way it stays.
    pub fn seek(&mut self, axis: Axis, by: isize) {
        let moments = &self.trace.moments;
        let Some(here) = moments.get(self.cursor) else {
            return;
        };
        let core = here.core;
        let wanted = |moment: &Moment| match axis {
            Axis::Event => true,
            Axis::Choice => moment.mark == Some(Mark::Choice),
            Axis::Core => moment.core == core,
            Axis::End => false,
        };
        let last = moments.len() - 1;
        let to = match (axis, by > 0) {
            (Axis::End, true) => Some(last),
            (Axis::End, false) => Some(0),
            (Axis::Event, _) => Some(self.cursor.saturating_add_signed(by).min(last)),
            (_, true) => (self.cursor + 1..=last).find(|i| wanted(&moments[*i])),
            (_, false) => (0..self.cursor).rev().find(|i| wanted(&moments[*i])),
        };
        if let Some(to) = to {
            self.go(to);
        }
    }

    /// Moves what is selected in the focused pane.
    pub fn move_in_pane(&mut self, by: isize) {
        match self.pane {
            Pane::Timeline | Pane::Code | Pane::Events => self.seek(Axis::Event, by),
            Pane::Stacks | Pane::Run => self.scroll = self.scroll.saturating_add_signed(by),
            Pane::Why => {
                let steps = &self.trace.report.why;
                if steps.is_empty() {
                    return;
                }
                self.why = self.why.saturating_add_signed(by).min(steps.len() - 1);
                let (at, core) = (steps[self.why].at, steps[self.why].core);
                self.go_to_position(at, core);
            }
        }
    }

    /// Moves the cursor to the event of a core at a position, or else to the last event of that
    /// core before it.
    fn go_to_position(&mut self, at: emu::position::Position, core: u8) {
        let end = self.trace.moments.partition_point(|moment| moment.at <= at);
        let before = &self.trace.moments[..end];
        let own = before.iter().rposition(|moment| moment.core == core);
        if let Some(to) = own.or(end.checked_sub(1)) {
            self.go(to);
        }
    }

    /// Gives the focus to the pane that is `by` further.
    pub fn turn_pane(&mut self, by: isize) {
        let len = Pane::ALL.len() as isize;
        let index = (self.pane.number() as isize - 1 + by).rem_euclid(len);
        self.focus(Pane::ALL[index as usize]);
    }

    /// Gives the focus to a pane.
    pub fn focus(&mut self, pane: Pane) {
        self.pane = pane;
        self.scroll = 0;
        if Pane::TABS.contains(&pane) {
            self.tab = pane;
        }
    }

    /// Shows half as many events in a cell of the timeline, or twice as many.
    pub fn zoom_time(&mut self, by: isize) {
        self.cell = match by > 0 {
            true => (self.cell / 2).max(1),
            false => (self.cell * 2).min(1 << 16),
        };
    }
}
