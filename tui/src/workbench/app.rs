//! The state of the workbench and what changes it.

use std::path::PathBuf;

use emu::choice::Moves;
use emu::position::Position;
use emu::report::Screen;
use emu::travel::{Datum, Direction, Goal, Motion, Traveller};
use ratatui::crossterm::event::KeyEvent;

use super::commands::{self, Command};
use super::guide::Question;
use super::help::Text;
use super::home::{Home, Row};
use super::keys::Key;
use super::line::{Line, Outcome as LineOutcome};
use super::palette::{Outcome as PaletteOutcome, Palette};
use super::search::{News as SearchNews, SearchState};
use super::search_job::SearchJob;
use super::trace::{self, Pane, Scene, TraceState};
use super::worker::{CaseChoice, Job, News, Reply, Task};

/// What fills the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Scenarios and settings.
    Home,
    /// A search and what it has found.
    Search,
    /// The stop screen of the last run.
    Stop,
    /// The trace of the last run.
    Trace,
}

impl View {
    /// What it is called in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Home => "the first screen",
            Self::Search => "a search",
            Self::Stop => "the stop screen",
            Self::Trace => "the trace",
        }
    }
}

/// What the event loop has to do.
pub enum Effect {
    /// Nothing but draw.
    None,
    /// Leave.
    Quit,
    /// Run something.
    Start(Box<Job>),
    /// Stop waiting for what runs.
    Cancel,
    /// Search for something, instead of what is being searched for.
    Search(Box<SearchJob>),
    /// Let the search go no further than it is.
    EndSearch,
    /// Ask the terminal to tell of the mouse, or not to.
    Mouse(bool),
    /// Say why nothing happens, and the mend.
    Refuse(String),
}

/// What takes the keys before the view does.
pub enum Overlay {
    /// Nothing.
    None,
    /// A text to be read.
    Text(Text),
    /// The command line.
    Line(Line),
    /// The list of commands.
    Palette(Palette),
}

/// What is being run.
pub struct Running {
    /// Number of the job.
    pub id: u64,
    /// How far it is.
    pub text: String,
    /// The row of the first screen that gets the seed.
    row: Option<usize>,
    /// Where Esc leads from its trace.
    back: View,
    /// What is run.
    case: CaseChoice,
    /// The choice of the trace at which it decides differently.
    fork: Option<u64>,
}

/// The workbench.
pub struct App {
    /// Scenarios and settings.
    pub home: Home,
    /// What fills the terminal.
    pub view: View,
    /// The last run.
    pub trace: Option<TraceState>,
    /// The last search.
    pub search: Option<SearchState>,
    /// First line of the stop screen that is shown.
    pub screen_scroll: usize,
    /// What is being run.
    pub running: Option<Running>,
    /// What went wrong, or what was not found, since the last key.
    pub message: Option<String>,
    /// What takes the keys before the view does.
    pub overlay: Overlay,
    /// Lines that have been typed, oldest first.
    pub history: Vec<String>,
    /// Where Esc leads from the trace.
    back: View,
    /// What the trace is a run of.
    case: CaseChoice,
    /// Machines that the guide has not got yet, and the numbers of traces that are gone.
    travellers: Vec<(u64, Option<Box<Traveller>>)>,
    /// What the guide was asked last.
    asked: Option<Question>,
    jobs: u64,
    /// The commands that have been carried out, for the test that all of them are tried.
    #[cfg(test)]
    pub carried_out: std::collections::BTreeSet<&'static str>,
}

impl App {
    /// The workbench at its start.
    pub fn new(home: Home) -> App {
        App {
            home,
            view: View::Home,
            trace: None,
            search: None,
            screen_scroll: 0,
            running: None,
            message: None,
            overlay: Overlay::None,
            history: Vec::new(),
            back: View::Home,
            case: CaseChoice::default(),
            travellers: Vec::new(),
            asked: None,
            jobs: 0,
            #[cfg(test)]
            carried_out: Default::default(),
        }
    }

    /// A key was pressed.
    pub fn key(&mut self, event: KeyEvent) -> Effect {
        let Some(key) = Key::of(event) else {
            return Effect::None;
        };
        let message = self.message.take();
        if key == Key::Ctrl('c') {
            return Effect::Quit;
        }
        match std::mem::replace(&mut self.overlay, Overlay::None) {
            Overlay::None => {}
            Overlay::Text(mut text) => {
                if text.key(key) {
                    self.overlay = Overlay::Text(text);
                    return Effect::None;
                }
                return match key {
                    Key::Plain(_) if is(key, "quit") => Effect::Quit,
                    _ => Effect::None,
                };
            }
            Overlay::Line(mut line) => {
                return match line.key(event, self) {
                    LineOutcome::Left => Effect::None,
                    LineOutcome::Open => {
                        self.overlay = Overlay::Line(line);
                        Effect::None
                    }
                    LineOutcome::Typed(typed) => self.typed(typed),
                };
            }
            Overlay::Palette(mut palette) => {
                return match palette.key(event, self.view) {
                    PaletteOutcome::Left => Effect::None,
                    PaletteOutcome::Open => {
                        self.overlay = Overlay::Palette(palette);
                        Effect::None
                    }
                    PaletteOutcome::Chosen(command) => match command.args {
                        Some(args) if args.required => self.open_line(format!("{} ", command.id)),
                        _ => self.carry_out(command, &[]),
                    },
                };
            }
        }
        if message.is_some() {
            return match is(key, "quit") {
                true => Effect::Quit,
                false => Effect::None,
            };
        }
        match (commands::of_key(self.view, key), key) {
            (Some(command), Key::Digit(digit)) => self.carry_out(command, &[digit.to_string()]),
            (Some(command), _) => self.carry_out(command, &[]),
            // Any other key leaves the stop screen.
            (None, _) if self.view == View::Stop => self.show_trace(),
            (None, _) => Effect::None,
        }
    }

    /// Carries a command out, with the words after its name.
    pub fn carry_out(&mut self, command: &'static Command, words: &[String]) -> Effect {
        #[cfg(test)]
        self.carried_out.insert(command.id);
        match (command.act)(self, words) {
            Effect::Refuse(why) => {
                self.message = Some(why);
                Effect::None
            }
            effect => effect,
        }
    }

    /// Carries out what was typed; a line that is wrong stays, to be mended.
    fn typed(&mut self, typed: String) -> Effect {
        let parsed = super::line::parse(self.view, &typed);
        if self.history.last() != Some(&typed) && !typed.trim().is_empty() {
            self.history.push(typed.clone());
        }
        let effect = match parsed {
            Ok(None) => Effect::None,
            Ok(Some((command, words))) => self.carry_out(command, &words),
            Err(problem) => {
                self.message = Some(problem);
                Effect::None
            }
        };
        if self.message.is_some() && matches!(self.overlay, Overlay::None) {
            self.overlay = Overlay::Line(Line::new(typed));
        }
        effect
    }

    /// A worker has news.
    pub fn reply(&mut self, reply: Reply) {
        let Some(running) = self.running.as_mut().filter(|r| r.id == reply.id) else {
            return;
        };
        match reply.news {
            News::Running(seed) => running.text = format!("running seed {seed}"),
            News::Replaying(what) => running.text = format!("replaying {what}"),
            News::Explaining => running.text = "explaining the run".into(),
            News::Done(trace) => {
                let (row, back, fork) = (running.row, running.back, running.fork);
                let case = std::mem::take(&mut running.case);
                self.running = None;
                if let Some(row) = row {
                    self.home.set_seed(row, trace.report.run.seed);
                }
                let mut trace = *trace;
                let traveller = trace.traveller.take();
                let state = TraceState::new(reply.id, trace);
                self.travellers.push((reply.id, traveller));
                self.screen_scroll = 0;
                self.overlay = Overlay::None;
                if let Some(choice) = fork
                    && let Some(from) = self.trace.take()
                {
                    self.fork_done(from, state, choice);
                    return;
                }
                self.case = case;
                self.back = back;
                let mut old = self.trace.take();
                while let Some(gone) = old {
                    self.travellers.push((gone.id, None));
                    old = gone.forked.map(|(from, _)| *from);
                }
                self.view = match state.trace.report.screen {
                    Some(_) => View::Stop,
                    None => View::Trace,
                };
                self.trace = Some(state);
            }
            News::NotFound(tries) => {
                self.running = None;
                self.message = Some(format!("all of {tries} seeds completed"));
            }
            News::Failed(message) => {
                self.running = None;
                self.message = Some(message);
            }
        }
    }

    /// A search has news.
    pub fn search_news(&mut self, id: u64, news: SearchNews) {
        if let Some(search) = self.search.as_mut().filter(|search| search.id == id) {
            search.note(news);
        }
    }

    /// The stop screen of the last run.
    pub fn screen(&self) -> Option<&Screen> {
        self.trace.as_ref()?.trace.report.screen.as_ref()
    }

    /// Starts the run of the chosen row, or up to so many runs until one stops.
    pub(super) fn start_chosen(&mut self, tries: u64) -> Effect {
        match self.home.row() {
            Some(Row::Recorded(recorded)) => self.replay(recorded.name.clone(), false),
            Some(Row::Scenario(entry)) => match entry.task(tries) {
                Ok((case, task)) => {
                    let effect = self.start(case, task, None);
                    if let Some(running) = &mut self.running {
                        running.row = Some(self.home.chosen);
                    }
                    effect
                }
                Err(problem) => Effect::Refuse(problem),
            },
            None => Effect::Refuse("nothing is chosen\nmend: Esc ends the filter".into()),
        }
    }

    /// Starts a run; its schedule is kept in the file, if one is named.
    pub(super) fn start(&mut self, case: CaseChoice, task: Task, save: Option<PathBuf>) -> Effect {
        self.jobs += 1;
        self.running = Some(Running {
            id: self.jobs,
            text: format!("booting {}", case.scenario),
            row: None,
            back: View::Home,
            case: case.clone(),
            fork: None,
        });
        Effect::Start(Box::new(Job {
            id: self.jobs,
            case,
            task,
            save,
        }))
    }

    /// Opens a recorded run.
    pub(super) fn replay(&mut self, file: String, best_effort: bool) -> Effect {
        let task = Task::Recorded { best_effort };
        let case = CaseChoice {
            scenario: file,
            ..CaseChoice::default()
        };
        self.start(case, task, None)
    }

    pub(super) fn explore_chosen(&mut self) -> Effect {
        let job = match self.home.row() {
            Some(Row::Scenario(entry)) => entry.search(),
            Some(Row::Recorded(_)) => {
                Err("a recorded run is one run\nmend: choose a scenario".into())
            }
            None => Err("nothing is chosen\nmend: Esc ends the filter".into()),
        };
        match job {
            Ok(job) => self.start_search(job),
            Err(problem) => Effect::Refuse(problem),
        }
    }

    /// Starts a search and shows it; the same search that is there already is only shown.
    pub(super) fn start_search(&mut self, mut job: SearchJob) -> Effect {
        let same = self
            .search
            .as_ref()
            .is_some_and(|s| s.line == job.line && s.goes_on());
        if !same {
            self.jobs += 1;
            job.id = self.jobs;
            self.search = Some(SearchState::new(&job));
        }
        self.view = View::Search;
        match same {
            true => Effect::None,
            false => Effect::Search(Box::new(job)),
        }
    }

    pub(super) fn show_search(&mut self) -> Effect {
        if self.search.is_none() {
            return Effect::Refuse("nothing has been searched for yet\nmend: e searches".into());
        }
        self.view = View::Search;
        Effect::None
    }

    pub(super) fn select_group(&mut self, by: isize) -> Effect {
        if let Some(search) = &mut self.search {
            search.select(by);
        }
        Effect::None
    }

    /// Opens the first run of the selected group.
    pub(super) fn open_group(&mut self) -> Effect {
        let Some((case, task)) = self.search.as_ref().and_then(SearchState::open) else {
            return Effect::Refuse("nothing has been found yet".into());
        };
        let effect = self.start(case, task, None);
        if let Some(running) = &mut self.running {
            running.back = View::Search;
        }
        effect
    }

    pub(super) fn end_search(&mut self) -> Effect {
        match self.search.as_mut().filter(|search| search.goes_on()) {
            Some(search) => {
                search.ending();
                Effect::EndSearch
            }
            None => Effect::Refuse("the search has ended".into()),
        }
    }

    pub(super) fn show_trace(&mut self) -> Effect {
        if self.trace.is_none() {
            return Effect::Refuse("nothing has run yet".into());
        }
        self.view = View::Trace;
        Effect::None
    }

    pub(super) fn show_screen(&mut self) -> Effect {
        if self.screen().is_none() {
            return Effect::Refuse("the run did not end with a stop screen".into());
        }
        self.view = View::Stop;
        Effect::None
    }

    pub(super) fn scroll_screen(&mut self, by: isize) -> Effect {
        let lines = self.screen().map_or(0, |screen| screen.lines.len());
        let to = self.screen_scroll.saturating_add_signed(by * 8);
        self.screen_scroll = to.min(lines.saturating_sub(1));
        Effect::None
    }

    /// Stops waiting for a run, or ends the filter.
    pub(super) fn cancel(&mut self) -> Effect {
        if self.running.take().is_some() {
            return Effect::Cancel;
        }
        self.home.set_filter(String::new());
        Effect::None
    }

    pub(super) fn back(&mut self) -> Effect {
        if self.running.take().is_some() {
            return Effect::Cancel;
        }
        self.view = match self.view {
            View::Stop => View::Trace,
            View::Trace => match self.trace.take() {
                Some(TraceState {
                    id,
                    forked: Some((from, _)),
                    ..
                }) => {
                    self.travellers.push((id, None));
                    self.trace = Some(*from);
                    View::Trace
                }
                trace => {
                    self.trace = trace;
                    self.back
                }
            },
            View::Search | View::Home => View::Home,
        };
        Effect::None
    }

    /// Filters the rows by what was typed, or lets it be typed.
    pub(super) fn filter(&mut self, words: &[String]) -> Effect {
        if words.is_empty() {
            self.overlay = Overlay::Line(Line::filter(self.home.filter.clone()));
        } else {
            self.home.set_filter(words.join(" "));
        }
        Effect::None
    }

    pub(super) fn show_help(&mut self) -> Effect {
        self.overlay = Overlay::Text(Text::help(self.view));
        Effect::None
    }

    pub(super) fn open_line(&mut self, text: String) -> Effect {
        self.overlay = Overlay::Line(Line::new(text));
        Effect::None
    }

    pub(super) fn open_palette(&mut self) -> Effect {
        self.overlay = Overlay::Palette(Palette::default());
        Effect::None
    }

    pub(super) fn set_mouse(&mut self, words: &[String]) -> Effect {
        match words {
            [word] if word == "on" => Effect::Mouse(true),
            [word] if word == "off" => Effect::Mouse(false),
            _ => Effect::Refuse("mend: write mouse on, or mouse off".into()),
        }
    }

    /// Changes the trace, if there is one; what it says is shown.
    fn with_trace(&mut self, change: impl FnOnce(&mut TraceState) -> Result<(), String>) -> Effect {
        match self.trace.as_mut().map(change) {
            Some(Err(why)) => Effect::Refuse(why),
            _ => Effect::None,
        }
    }

    /// The same for what always works.
    fn change_trace(&mut self, change: impl FnOnce(&mut TraceState)) -> Effect {
        self.with_trace(|trace| {
            change(trace);
            Ok(())
        })
    }

    /// The same for what has something to say.
    fn ask_trace(
        &mut self,
        change: impl FnOnce(&mut TraceState) -> Result<String, String>,
    ) -> Effect {
        match self.trace.as_mut().map(change) {
            Some(Ok(text)) => {
                self.message = Some(text);
                Effect::None
            }
            Some(Err(why)) => Effect::Refuse(why),
            None => Effect::None,
        }
    }

    pub(super) fn walk(&mut self, motion: Motion, direction: Direction) -> Effect {
        self.with_trace(|trace| trace.walk(motion, direction))
    }

    /// Goes to the moment that the words name; without words they are asked for.
    pub(super) fn go_to(&mut self, words: &[String]) -> Effect {
        match words {
            [] => self.open_line("go ".into()),
            [word] => match word.parse::<Goal>() {
                Ok(goal) => self.with_trace(|trace| trace.go_to(goal)),
                Err(why) => Effect::Refuse(why),
            },
            _ => Effect::Refuse("mend: write one moment, for example go 50%".into()),
        }
    }

    pub(super) fn revisit(&mut self, direction: Direction) -> Effect {
        self.with_trace(|trace| trace.revisit(direction))
    }

    pub(super) fn look_at_core(&mut self, by: i8) -> Effect {
        self.change_trace(|trace| {
            let cpus = i16::from(trace.trace.report.run.cpus.max(1));
            let core = (i16::from(trace.focus.core) + i16::from(by)).rem_euclid(cpus);
            trace.look_at_core(core as u8);
        })
    }

    pub(super) fn toggle_breakpoint(&mut self) -> Effect {
        self.ask_trace(TraceState::toggle_breakpoint)
    }

    pub(super) fn follow(&mut self) -> Effect {
        self.with_trace(TraceState::follow)
    }

    pub(super) fn take_datum(&mut self) -> Effect {
        self.ask_trace(TraceState::take_datum)
    }

    /// Selects the memory that the words name: an address in hexadecimal, and a length in bytes.
    pub(super) fn select_datum(&mut self, words: &[String]) -> Effect {
        let hex = |word: &String| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok();
        let datum = match words {
            [address] => hex(address).map(|address| Datum { address, length: 8 }),
            [address, length] => match (hex(address), length.parse()) {
                (Some(address), Ok(length @ 1..=65536)) => Some(Datum { address, length }),
                _ => None,
            },
            _ => None,
        };
        match datum {
            Some(datum) => self.change_trace(|trace| trace.select_datum(Some(datum))),
            None => Effect::Refuse(
                "mend: write an address in hexadecimal and a length in bytes, for example datum \
                 fffffadf98001000 8"
                    .into(),
            ),
        }
    }

    pub(super) fn note(&mut self, words: &[String]) -> Effect {
        match words {
            [] => self.open_line("note ".into()),
            _ => self.change_trace(|trace| trace.note(words.join(" "))),
        }
    }

    /// Runs the schedule up to the choice at the focus again, with another decision there.
    pub(super) fn fork(&mut self) -> Effect {
        let Some(state) = &self.trace else {
            return Effect::None;
        };
        let (choice, option) = match state.selected_option() {
            Ok(found) => found,
            Err(why) => return Effect::Refuse(why),
        };
        let Some(record) = &state.trace.record else {
            return Effect::None;
        };
        let before = record
            .ended
            .moves
            .0
            .iter()
            .filter(|(number, _)| *number < choice);
        let mut moves: Vec<(u64, u32)> = before.copied().collect();
        if option != 0 {
            moves.push((choice, option as u32));
        }
        let run = &state.trace.report.run;
        let task = Task::Moves {
            moves: Moves(moves),
            strategy: run.strategy.clone(),
            seed: run.seed,
        };
        let effect = self.start(self.case.clone(), task, None);
        if let Some(running) = &mut self.running {
            running.fork = Some(choice);
        }
        effect
    }

    /// A fork has run: it is shown at the decision, and how it ended beside how the other did.
    fn fork_done(&mut self, from: TraceState, mut state: TraceState, choice: u64) {
        let was = trace::end(&from.trace.report.stop);
        let now = trace::end(&state.trace.report.stop);
        let _ = state.go_to(Goal::Position(Position { choice, step: 0 }));
        state.forked = Some((Box::new(from), choice));
        self.trace = Some(state);
        self.view = View::Trace;
        self.message = Some(format!(
            "decided differently at choice {choice}: {now}\nbefore: {was}\nEsc goes back to the run \
             before"
        ));
    }

    /// A machine that the guide is to have, or the number of a trace that is gone.
    pub(super) fn next_traveller(&mut self) -> Option<(u64, Option<Box<Traveller>>)> {
        self.travellers.pop()
    }

    /// What the guide is to be asked now, if anything.
    pub(super) fn question(&mut self) -> Option<Question> {
        let state = self.trace.as_ref().filter(|_| self.view == View::Trace)?;
        let Pane::Scene(pane) = state.tab else {
            return None;
        };
        state.trace.record.as_ref()?;
        let question = Question {
            trace: state.id,
            focus: state.focus,
            pane,
        };
        let new = self.asked != Some(question);
        self.asked = Some(question);
        new.then_some(question)
    }

    /// The guide has an answer.
    pub(super) fn scene(&mut self, id: u64, scene: Scene) {
        if let Some(state) = self.trace.as_mut().filter(|state| state.id == id) {
            state.scene = Some(scene);
        }
    }

    pub(super) fn move_in_pane(&mut self, by: isize) -> Effect {
        self.change_trace(|trace| trace.move_in_pane(by))
    }

    pub(super) fn turn_pane(&mut self, by: isize) -> Effect {
        self.change_trace(|trace| trace.turn_pane(by))
    }

    /// Gives the pane of this name or number the focus; a digit that is no number of a pane does
    /// nothing.
    pub(super) fn focus_pane(&mut self, words: &[String]) -> Effect {
        match words {
            [word] => match Pane::find(word) {
                Some(pane) => self.change_trace(|trace| trace.focus_pane(pane)),
                None if word.parse::<u64>().is_ok() => Effect::None,
                None => Effect::Refuse(format!("there is no pane '{word}'\nmend: Tab shows them")),
            },
            _ => Effect::Refuse("mend: write the name or the number of a pane".into()),
        }
    }

    pub(super) fn zoom_pane(&mut self) -> Effect {
        self.change_trace(|trace| trace.zoomed = !trace.zoomed)
    }

    pub(super) fn zoom_time(&mut self, by: isize) -> Effect {
        self.change_trace(|trace| trace.zoom_time(by))
    }
}

/// Whether a key is one of a command that works everywhere.
fn is(key: Key, id: &str) -> bool {
    commands::of_key(View::Trace, key).is_some_and(|command| command.id == id)
}
