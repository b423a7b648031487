//! The focus on a run and what is shown around it: one moment, one core and one datum, which all
//! panes are about.

use std::collections::BTreeSet;
use std::sync::Arc;

use emu::position::Position;
use emu::scene::mark::Mark;
use emu::scene::{self, Listing};
use emu::trace::EventKind;
use emu::travel::{Datum, Direction, Focus, Goal, Motion};

use super::code::CodeView;
use super::compare::Diff;
use super::pane::Pane;
use super::record::{Moment, Trace};
use crate::workbench::worker::CaseChoice;

/// The run that another one was made from with one difference.
pub struct Forked {
    /// That run.
    pub from: Box<TraceState>,
    /// What it is a run of.
    pub case: CaseChoice,
    /// The difference, in the words of the title.
    pub how: String,
}

/// A run that is looked at.
pub struct TraceState {
    /// Its number, for who puts a machine at its moments.
    pub id: u64,
    /// The run.
    pub trace: Arc<Trace>,
    /// What all panes are about.
    pub focus: Focus,
    /// The event at the focus, by index in the moments.
    pub cursor: usize,
    /// The focus was put on an event, and not on an instruction.
    pub on_event: bool,
    /// The pane with the keys.
    pub pane: Pane,
    /// The one of the panes below that is shown.
    pub tab: Pane,
    /// The pane with the keys fills the screen.
    pub zoomed: bool,
    /// The selected step of the reasons.
    pub why: usize,
    /// First line of the panes that scroll by lines.
    pub scroll: usize,
    /// The selected row of the table that is shown, once one was selected.
    pub row: Option<usize>,
    /// Events in a cell of the timeline: a power of two.
    pub cell: usize,
    /// The code at the focus.
    pub code: CodeView,
    /// Where execution is to stop.
    pub breakpoints: BTreeSet<u64>,
    /// What was noted, in the order of the moments.
    pub notes: Vec<(Focus, String)>,
    /// The last table that a machine at a moment has given.
    pub scene: Option<Scene>,
    /// The run that this one differs from, if it was made to.
    pub forked: Option<Forked>,
    /// The run that it is compared with.
    pub other: Option<Arc<Trace>>,
    /// The two, aligned.
    pub diff: Option<Diff>,
    past: Vec<Focus>,
    future: Vec<Focus>,
}

/// What a machine shows at a moment.
pub struct Scene {
    /// The focus that it was asked for.
    pub focus: Focus,
    /// Which table.
    pub pane: usize,
    /// The table.
    pub listing: Listing,
}

/// Why a trace without a record cannot be walked.
pub const NO_RECORD: &str = "this trace has no record of what was executed";

impl TraceState {
    /// The run at its end: where it stopped.
    pub fn new(id: u64, trace: Trace) -> TraceState {
        let last = trace.moments.len().saturating_sub(1);
        let focus = match &trace.record {
            Some(record) => record.focus_at_end(),
            None => Focus {
                at: trace.moments.last().map_or(Position::default(), |m| m.at),
                core: trace.moments.last().map_or(0, |m| m.core),
                event: (!trace.moments.is_empty()).then_some(last),
                datum: None,
            },
        };
        let mut state = TraceState {
            id,
            focus,
            cursor: last,
            on_event: true,
            pane: Pane::Why,
            tab: Pane::Why,
            zoomed: false,
            why: trace.report.why.len().saturating_sub(1),
            scroll: 0,
            row: None,
            cell: 1,
            code: CodeView::default(),
            breakpoints: BTreeSet::new(),
            notes: Vec::new(),
            scene: None,
            forked: None,
            other: None,
            diff: None,
            past: Vec::new(),
            future: Vec::new(),
            trace: Arc::new(trace),
        };
        if state.trace.report.why.is_empty() {
            state.focus_pane(Pane::Events);
        }
        state.settle(true);
        if let Some(reason) = state.trace.reason {
            state.why = reason;
            state.move_in_pane(0);
            state.past.clear();
        }
        state
    }

    /// The event at the focus; `None` if the run has none.
    pub fn moment(&self) -> Option<&Moment> {
        self.trace.moments.get(self.cursor)
    }

    /// The position of the focus, if the focus is on an event and more of them come at the same
    /// position: a machine can only be put behind all of them.
    pub fn behind(&self) -> Option<Position> {
        let next = self.trace.moments.get(self.cursor + 1)?;
        (self.on_event && next.at == self.focus.at).then_some(next.at)
    }

    /// Makes what hangs on the focus follow it.
    fn settle(&mut self, on_event: bool) {
        let event = self.focus.event.unwrap_or(0);
        let last = self.trace.moments.len().saturating_sub(1);
        self.cursor = event.min(last);
        self.on_event = on_event;
        self.row = None;
        self.code = match &self.trace.record {
            Some(record) if !on_event => {
                let retired = record.retired(self.focus.at);
                CodeView::of_pc(&self.trace, record.pc(self.focus.core, retired))
            }
            _ => CodeView::at(&self.trace, self.cursor),
        };
    }

    /// Moves the focus; the moment before can be gone back to.
    fn go(&mut self, to: Focus, on_event: bool) {
        if to.at != self.focus.at || to.event != self.focus.event {
            self.past.push(self.focus);
            self.future.clear();
        }
        self.focus = to;
        self.settle(on_event);
    }

    /// Goes to the event of that index.
    pub fn go_to_event(&mut self, event: usize) {
        let Some(moment) = self.trace.moments.get(event) else {
            return;
        };
        let to = match &self.trace.record {
            Some(record) => record.focus_on_event(self.focus, event),
            None => Focus {
                at: moment.at,
                core: moment.core,
                event: Some(event),
                datum: self.focus.datum,
            },
        };
        self.go(to, true);
    }

    /// Moves along the run; says why if that is not possible.
    pub fn walk(&mut self, motion: Motion, direction: Direction) -> Result<(), String> {
        let Some(record) = &self.trace.record else {
            return self.walk_events(motion, direction);
        };
        if matches!(motion, Motion::Write | Motion::Touch) && self.focus.datum.is_none() {
            let mend = "no datum is selected\nmend: y in a table takes the one of its row, :datum ADDRESS another";
            return Err(mend.into());
        }
        let to = record.go(self.focus, motion, direction, &self.breakpoints);
        let on_event = matches!(motion, Motion::Event | Motion::CoreEvent);
        match to {
            Some(to) => {
                self.go(to, on_event);
                Ok(())
            }
            None => Err(format!(
                "nothing more of that kind {}",
                match direction {
                    Direction::Forward => "comes",
                    Direction::Backward => "comes before",
                }
            )),
        }
    }

    /// What can be walked without a record: the events.
    fn walk_events(&mut self, motion: Motion, direction: Direction) -> Result<(), String> {
        let moments = &self.trace.moments;
        let Some(here) = moments.get(self.cursor) else {
            return Ok(());
        };
        let core = here.core;
        let mark = |i: usize| self.trace.lanes.spot(i).and_then(|spot| spot.mark);
        let wanted = |&i: &usize| match motion {
            Motion::Event => true,
            Motion::CoreEvent => moments[i].core == core,
            _ => mark(i) == Some(Mark::Choice),
        };
        if !matches!(
            motion,
            Motion::Event | Motion::CoreEvent | Motion::Choice | Motion::Deviation
        ) {
            return Err(NO_RECORD.into());
        }
        let to = match direction {
            Direction::Forward => (self.cursor + 1..moments.len()).find(wanted),
            Direction::Backward => (0..self.cursor).rev().find(wanted),
        };
        if let Some(to) = to {
            self.go_to_event(to);
        }
        Ok(())
    }

    /// Moves by so many events; at the first or the last it stays.
    pub fn move_by_events(&mut self, by: isize) {
        let last = self.trace.moments.len().saturating_sub(1);
        self.go_to_event(self.cursor.saturating_add_signed(by).min(last));
    }

    /// Goes to a moment.
    pub fn go_to(&mut self, goal: Goal) -> Result<(), String> {
        match &self.trace.record {
            Some(record) => {
                let to = record.focus_on(self.focus, goal);
                self.go(to, goal == Goal::End);
                Ok(())
            }
            None => match goal {
                Goal::Start => {
                    self.go_to_event(0);
                    Ok(())
                }
                Goal::End => {
                    self.go_to_event(self.trace.moments.len().saturating_sub(1));
                    Ok(())
                }
                _ => Err(NO_RECORD.into()),
            },
        }
    }

    /// Goes back to where the focus was, or forward again.
    pub fn revisit(&mut self, direction: Direction) -> Result<(), String> {
        let (from, to) = match direction {
            Direction::Backward => (&mut self.past, &mut self.future),
            Direction::Forward => (&mut self.future, &mut self.past),
        };
        let Some(focus) = from.pop() else {
            return Err("that is the last moment of the history".into());
        };
        to.push(self.focus);
        self.focus = focus;
        let events = self.trace.moments.get(self.cursor_of(focus));
        let on_event = events.is_some_and(|moment| moment.at == focus.at);
        self.settle(on_event);
        Ok(())
    }

    fn cursor_of(&self, focus: Focus) -> usize {
        focus.event.unwrap_or(0)
    }

    /// Looks at another core at the same moment.
    pub fn look_at_core(&mut self, core: u8) {
        if core < self.trace.report.run.cpus {
            self.focus.core = core;
            self.settle(false);
        }
    }

    /// Selects memory.
    pub fn select_datum(&mut self, datum: Option<Datum>) {
        self.focus.datum = datum;
    }

    /// Sets a breakpoint at the code that is shown, or takes it away; says which.
    pub fn toggle_breakpoint(&mut self) -> Result<String, String> {
        let Some(&(pc, _)) = self
            .code
            .current
            .and_then(|i| self.code.instructions.get(i))
        else {
            return Err("no driver code is shown here".into());
        };
        Ok(match self.breakpoints.remove(&pc) {
            true => format!("no breakpoint at {pc:x} any more"),
            false => {
                self.breakpoints.insert(pc);
                format!("breakpoint at {pc:x}")
            }
        })
    }

    /// Sets a breakpoint where the code of a source line begins, or takes it away; says which. The
    /// line is written as it is shown, or without the folder.
    pub fn break_at_line(&mut self, line: &str) -> Result<String, String> {
        let behind = format!("/{line}");
        let here = |known: &&String| **known == line || known.ends_with(&behind);
        let found: Vec<&String> = self.trace.lines.keys().filter(here).collect();
        let [known] = found[..] else {
            return Err(match found[..] {
                [] => format!(
                    "this run executes nothing of '{line}'\nmend: Tab shows the lines that it does"
                ),
                _ => {
                    let all: Vec<&str> = found.iter().map(|line| line.as_str()).collect();
                    format!(
                        "'{line}' may be {}\nmend: write the folder, too",
                        all.join(", ")
                    )
                }
            });
        };
        let begins = &self.trace.lines[known];
        let set = begins.iter().all(|pc| self.breakpoints.contains(pc));
        for &pc in begins {
            match set {
                true => self.breakpoints.remove(&pc),
                false => self.breakpoints.insert(pc),
            };
        }
        Ok(match set {
            true => format!("no breakpoint at {known} any more"),
            false => format!("breakpoint at {known}; c and C run to it"),
        })
    }

    /// The memory that the selected reason is about.
    fn datum_of_reason(&self) -> Option<Datum> {
        let record = self.trace.record.as_ref()?;
        let step = self.trace.report.why.get(self.why)?;
        let mut events = record.events()[record.event_from(step.at)..].iter();
        let own = events.by_ref().take_while(|event| event.at == step.at);
        let own: Vec<_> = own.filter(|event| event.core == step.core).collect();
        let pointer = record.setup.profile.pointer_size();
        let of_event = own.iter().find_map(|event| match event.kind {
            EventKind::Pool { block, size, .. } => Some((block, size.max(1))),
            EventKind::Fault { address, .. } => Some((address, pointer)),
            EventKind::Lock { lock, .. } => Some((lock, pointer)),
            _ => None,
        });
        let retired = record.retired(step.at);
        let log = record.accesses();
        let from = log.partition_point(|access| access.retired < retired);
        let near = log[from..].iter();
        let near = near.take_while(|access| access.retired <= retired + 1);
        let of_access = || {
            let access = near.clone().find(|access| access.core == step.core)?;
            Some((access.address, u64::from(access.width)))
        };
        let (address, length) = of_event.or_else(of_access)?;
        Some(Datum { address, length })
    }

    /// Notes something about the moment.
    pub fn note(&mut self, text: String) {
        let at = self
            .notes
            .partition_point(|(focus, _)| focus.at <= self.focus.at);
        self.notes.insert(at, (self.focus, text));
    }

    /// Shows another run beside this one.
    pub fn compare(&mut self, other: Arc<Trace>, diff: Diff) {
        self.other = Some(other);
        self.diff = Some(diff);
        self.focus_pane(Pane::Diff);
    }

    /// The table of a pane, as the machine shows it at the focus, or showed it last.
    pub fn listing(&self, pane: Pane) -> Option<(&Listing, bool)> {
        let Pane::Scene(index) = pane else {
            return None;
        };
        let scene = self.scene.as_ref().filter(|scene| scene.pane == index)?;
        Some((&scene.listing, scene.focus == self.focus))
    }

    /// The row that is selected in a table.
    pub fn selected(&self, listing: &Listing) -> usize {
        let row = self.row.or(listing.current).unwrap_or(0);
        row.min(listing.rows.len().saturating_sub(1))
    }

    /// The row that is selected in the table with the keys.
    fn selected_row(&self) -> Option<&scene::Row> {
        let (listing, _) = self.listing(self.pane)?;
        listing.rows.get(self.selected(listing))
    }

    /// Goes to the moment that the selected row is about; if it is about none, selects its memory.
    pub fn follow(&mut self) -> Result<(), String> {
        match self.pane {
            Pane::Why => {
                self.move_in_pane(0);
                return Ok(());
            }
            Pane::Diff => {
                let selected = |diff: &Diff| diff.rows.get(diff.selected(self.row)).copied();
                if let Some((Some(this), _)) = self.diff.as_ref().and_then(selected) {
                    self.go_to_event(this);
                }
                return Ok(());
            }
            Pane::Notes => {
                if let Some((focus, _)) = self.notes.get(self.row.unwrap_or(0)) {
                    self.go(*focus, false);
                }
                return Ok(());
            }
            _ => {}
        }
        let Some(row) = self.selected_row() else {
            return Err("this pane has no rows that lead somewhere".into());
        };
        match (row.at, row.datum) {
            (Some(at), _) => {
                let core = row.core.unwrap_or(self.focus.core);
                self.go_to_position(at, core);
                Ok(())
            }
            (None, Some(datum)) => {
                self.focus.datum = Some(datum);
                Ok(())
            }
            (None, None) => Err("this row is about no moment and no memory".into()),
        }
    }

    /// Takes the memory that the selected row is about.
    pub fn take_datum(&mut self) -> Result<String, String> {
        let datum = match self.pane {
            Pane::Scene(_) => self.selected_row().and_then(|row| row.datum),
            Pane::Why => self.datum_of_reason(),
            _ => None,
        };
        match datum {
            Some(datum) => {
                self.focus.datum = Some(datum);
                let Datum { address, length } = datum;
                Ok(format!(
                    "datum {address:x}, {length} bytes: w and W find its writes"
                ))
            }
            None => Err(
                "this row is about no memory\nmend: rows of why, memory, pool, registers and locks are"
                    .into(),
            ),
        }
    }

    /// The option of the choice that is selected, and the number of the choice.
    pub fn selected_option(&self) -> Result<(u64, usize), String> {
        let Some(record) = &self.trace.record else {
            return Err(NO_RECORD.into());
        };
        let choice = record.choice_of(self.focus);
        let Some(question) = record.question(choice) else {
            return Err(
                "nothing was decided before this moment\nmend: x goes to the next choice".into(),
            );
        };
        let other = (0..question.options.len()).find(|&i| i != question.taken);
        let option = match (self.pane.name(), self.row) {
            ("choice", Some(row)) => row,
            // Where nothing was selected, the other decision is meant.
            _ => other.unwrap_or(0),
        };
        match option == question.taken {
            true => Err("that is what happened in this run\nmend: select another option".into()),
            false => Ok((choice, option)),
        }
    }

    /// Gives a pane the keys and selects a row of it; follows the one that is selected already.
    pub fn select_row(&mut self, pane: Pane, row: usize) -> Result<(), String> {
        let had = self.pane == pane;
        if !had {
            self.focus_pane(pane);
        }
        match pane {
            Pane::Why => {
                self.why = row.min(self.trace.report.why.len().saturating_sub(1));
                self.move_in_pane(0);
            }
            Pane::Events => self.go_to_event(row),
            _ if had && self.row == Some(row) => return self.follow(),
            _ => self.row = Some(row),
        }
        Ok(())
    }

    /// Moves what is selected in the focused pane.
    pub fn move_in_pane(&mut self, by: isize) {
        match self.pane {
            // As far as one sees it move.
            Pane::Timeline => self.move_by_events(by.saturating_mul(self.cell as isize)),
            Pane::Code | Pane::Events => self.move_by_events(by),
            Pane::Run => self.scroll = self.scroll.saturating_add_signed(by),
            Pane::Diff => {
                if let Some(diff) = &self.diff {
                    let row = diff.selected(self.row).saturating_add_signed(by);
                    self.row = Some(diff.selected(Some(row)));
                }
            }
            Pane::Notes => {
                let last = self.notes.len().saturating_sub(1);
                self.row = Some(self.row.unwrap_or(0).saturating_add_signed(by).min(last));
            }
            Pane::Scene(_) => {
                let Some((listing, _)) = self.listing(self.pane) else {
                    return;
                };
                let last = listing.rows.len().saturating_sub(1);
                let row = self.selected(listing).saturating_add_signed(by);
                self.row = Some(row.min(last));
            }
            Pane::Why => {
                let steps = &self.trace.report.why;
                if steps.is_empty() {
                    return;
                }
                self.why = self.why.saturating_add_signed(by).min(steps.len() - 1);
                let step = &steps[self.why];
                // An access is no event: the moment is behind it, its code is not.
                let access = step.stack.is_empty() && step.place.pc != 0;
                let place = access.then(|| step.place.clone());
                let (at, core) = (step.at, step.core);
                self.go_to_position(at, core);
                if let Some(place) = place {
                    self.code = CodeView::of(&self.trace, &place);
                }
            }
        }
    }

    /// Goes to a position: to the event of a core there, if there is one, or else to the
    /// instruction.
    fn go_to_position(&mut self, at: Position, core: u8) {
        let end = self.trace.moments.partition_point(|moment| moment.at <= at);
        let before = &self.trace.moments[..end];
        let own = before.iter().rposition(|moment| moment.core == core);
        let exact = own.filter(|&i| before[i].at == at);
        match (exact, &self.trace.record) {
            (None, Some(record)) => {
                let to = record.focus_on(self.focus, Goal::Position(at));
                self.go(Focus { core, ..to }, false);
            }
            _ => {
                if let Some(to) = exact.or(own).or(end.checked_sub(1)) {
                    self.go_to_event(to);
                }
            }
        }
    }

    /// Gives the keys to the pane that is `by` further.
    pub fn turn_pane(&mut self, by: isize) {
        let all = Pane::all();
        let len = all.len() as isize;
        let index = (self.pane.number() as isize - 1 + by).rem_euclid(len);
        self.focus_pane(all[index as usize]);
    }

    /// Gives the keys to a pane.
    pub fn focus_pane(&mut self, pane: Pane) {
        self.pane = pane;
        self.scroll = 0;
        self.row = None;
        if pane.is_tab() {
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
