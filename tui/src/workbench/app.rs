//! The state of the workbench and what changes it.

use std::path::PathBuf;
use std::sync::Arc;

use emu::position::Position;
use emu::report::Screen;
use emu::travel::{Goal, Traveller};
use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::commands::{self, Command};
use super::guide::Question;
use super::help::Text;
use super::home::Home;
use super::keys::Key;
use super::line::{Line, Outcome as LineOutcome};
use super::palette::{Outcome as PaletteOutcome, Palette};
use super::search::{News as SearchNews, SearchState};
use super::search_job::SearchJob;
use super::trace::{Diff, Forked, Pane, Scene, Trace, TraceState};
use super::worker::{Beside, CaseChoice, Job, News, Reply};

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
    /// Write a file.
    Write(PathBuf, Content),
    /// Say why nothing happens, and the mend.
    Refuse(String),
}

impl Effect {
    /// The same run, compared with another one when it has been made.
    pub(super) fn beside(self, beside: Beside) -> Effect {
        match self {
            Effect::Start(job) => Effect::Start(Box::new(Job {
                beside: Some(beside),
                ..*job
            })),
            effect => effect,
        }
    }
}

/// What a file is to have in it.
pub enum Content {
    /// What is shown.
    Screen,
    /// This.
    Text(String),
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
    pub(super) row: Option<usize>,
    /// Where Esc leads from its trace.
    pub(super) back: View,
    /// What is run.
    pub(super) case: CaseChoice,
    /// Where it leaves the trace, if it is that run with a difference.
    pub(super) fork: Option<Fork>,
    /// It is only compared with the trace that is shown.
    pub(super) compares: bool,
}

/// Where a run leaves the one that is shown, and how.
#[derive(Clone, Debug)]
pub struct Fork {
    /// The moment.
    pub at: Position,
    /// How, in the words of the title.
    pub header: String,
    /// How, in the words of the message.
    pub said: String,
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
    pub(super) back: View,
    /// What the trace is a run of.
    pub(super) case: CaseChoice,
    /// Machines that the guide has not got yet, and the numbers of traces that are gone.
    pub(super) travellers: Vec<(u64, Option<Box<Traveller>>)>,
    /// What the guide was asked last.
    asked: Option<Question>,
    /// Jobs and searches so far: the number of the last one.
    pub(super) jobs: u64,
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
        // A message in the trace is about a step: the next step need not wait for it.
        let walks = self.view == View::Trace
            && !matches!(
                key,
                Key::Plain(KeyCode::Esc | KeyCode::Enter | KeyCode::Char(' '))
            );
        if message.is_some() && !walks {
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
            News::Done(trace) => self.done(*trace, None),
            News::Compared(all) => {
                let (trace, other, diff) = *all;
                if running.compares {
                    self.running = None;
                    if let Some(state) = &mut self.trace {
                        state.compare(Arc::new(trace), diff);
                        self.view = View::Trace;
                    }
                    return;
                }
                self.done(trace, Some((other.map(Arc::new), diff)));
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

    /// A run has been made: it is shown, beside the one that it was compared with.
    fn done(&mut self, mut trace: Trace, compared: Option<(Option<Arc<Trace>>, Diff)>) {
        let Some(running) = self.running.take() else {
            return;
        };
        if let Some(row) = running.row {
            self.home.set_seed(row, trace.report.run.seed);
        }
        let traveller = std::mem::take(&mut trace.traveller).into_inner();
        let traveller = traveller.unwrap_or_default();
        let remarks = trace.remarks.join("\n");
        let case = trace.case.take().unwrap_or(running.case);
        let mut state = TraceState::new(running.id, trace);
        self.travellers.push((running.id, traveller));
        self.screen_scroll = 0;
        self.overlay = Overlay::None;
        let diff = match (running.fork, compared, self.trace.take()) {
            (Some(fork), Some((_, diff)), Some(from)) => {
                let case = std::mem::replace(&mut self.case, case);
                self.fork_done((from, case), state, diff, fork);
                return;
            }
            (_, compared, old) => {
                self.trace = old;
                compared
            }
        };
        self.case = case;
        self.back = running.back;
        let mut old = self.trace.take();
        while let Some(gone) = old {
            self.travellers.push((gone.id, None));
            old = gone.forked.map(|forked| *forked.from);
        }
        self.view = match state.trace.report.screen {
            Some(_) if diff.is_none() => View::Stop,
            _ => View::Trace,
        };
        if let Some((Some(other), diff)) = diff {
            state.compare(other, diff);
        }
        if !remarks.is_empty() {
            self.message = Some(format!("repeated as far as it goes:\n{remarks}"));
        }
        self.trace = Some(state);
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

    /// A fork has run: it is shown where it leaves the other, and how it ended beside how that did.
    fn fork_done(
        &mut self,
        (from, case): (TraceState, CaseChoice),
        mut state: TraceState,
        diff: Diff,
        fork: Fork,
    ) {
        let was = super::trace::end(&from.trace.report.stop);
        let now = super::trace::end(&state.trace.report.stop);
        let _ = state.go_to(Goal::Position(fork.at));
        state.diff = Some(diff);
        state.other = Some(from.trace.clone());
        state.forked = Some(Forked {
            from: Box::new(from),
            how: fork.header,
            case,
        });
        self.trace = Some(state);
        self.view = View::Trace;
        self.message = Some(format!(
            "{}: {now}\nbefore: {was}\nEsc goes back to the run before",
            fork.said
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
}

/// Whether a key is one of a command that works everywhere.
fn is(key: Key, id: &str) -> bool {
    commands::of_key(View::Trace, key).is_some_and(|command| command.id == id)
}
