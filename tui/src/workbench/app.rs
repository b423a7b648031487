//! The state of the workbench and what changes it.

use std::path::PathBuf;

use emu::report::Screen;
use ratatui::crossterm::event::KeyEvent;

use super::commands::{self, Command};
use super::help::Text;
use super::home::{Home, Row};
use super::keys::Key;
use super::line::{Line, Outcome as LineOutcome};
use super::palette::{Outcome as PaletteOutcome, Palette};
use super::search::{News as SearchNews, SearchState};
use super::search_job::SearchJob;
use super::trace::{Axis, Pane, TraceState};
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
                let (row, back) = (running.row, running.back);
                self.running = None;
                if let Some(row) = row {
                    self.home.set_seed(row, trace.report.run.seed);
                }
                let state = TraceState::new(*trace);
                self.screen_scroll = 0;
                self.overlay = Overlay::None;
                self.back = back;
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
            View::Trace => self.back,
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

    /// Changes the trace, if there is one.
    fn with_trace(&mut self, change: impl FnOnce(&mut TraceState)) -> Effect {
        if let Some(trace) = &mut self.trace {
            change(trace);
        }
        Effect::None
    }

    pub(super) fn seek(&mut self, axis: Axis, by: isize) -> Effect {
        self.with_trace(|trace| trace.seek(axis, by))
    }

    pub(super) fn move_in_pane(&mut self, by: isize) -> Effect {
        self.with_trace(|trace| trace.move_in_pane(by))
    }

    pub(super) fn turn_pane(&mut self, by: isize) -> Effect {
        self.with_trace(|trace| trace.turn_pane(by))
    }

    /// Gives the pane of this number the focus; a key that is no number of a pane does nothing.
    pub(super) fn focus_numbered(&mut self, words: &[String]) -> Effect {
        let number = |word: &String| word.chars().next().map(Key::Digit);
        match words {
            [word] if word.chars().count() == 1 => match number(word).and_then(Pane::numbered) {
                Some(pane) => self.with_trace(|trace| trace.focus(pane)),
                None => Effect::None,
            },
            _ => Effect::Refuse(format!(
                "mend: write a number from 1 to {}",
                Pane::ALL.len()
            )),
        }
    }

    pub(super) fn zoom_pane(&mut self) -> Effect {
        self.with_trace(|trace| trace.zoomed = !trace.zoomed)
    }

    pub(super) fn zoom_time(&mut self, by: isize) -> Effect {
        self.with_trace(|trace| trace.zoom_time(by))
    }
}

/// Whether a key is one of a command that works everywhere.
fn is(key: Key, id: &str) -> bool {
    commands::of_key(View::Trace, key).is_some_and(|command| command.id == id)
}
