//! The state of the workbench and what changes it.

use emu::report::Screen;
use ratatui::crossterm::event::KeyEvent;

use super::home::Home;
use super::keys::{self, Key};
use super::trace::{Axis, Pane, TraceState};
use super::worker::{Job, News, Reply};

/// What fills the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Scenarios and settings.
    Home,
    /// The stop screen of the last run.
    Stop,
    /// The trace of the last run.
    Trace,
}

/// What the event loop has to do.
pub enum Effect {
    /// Nothing but draw.
    None,
    /// Leave.
    Quit,
    /// Run something.
    Start(Job),
    /// Stop waiting for what runs.
    Cancel,
}

/// The workbench.
pub struct App {
    /// Scenarios and settings.
    pub home: Home,
    /// What fills the terminal.
    pub view: View,
    /// The last run.
    pub trace: Option<TraceState>,
    /// First line of the stop screen that is shown.
    pub screen_scroll: usize,
    /// What is being run: number of the job, and how far it is.
    pub running: Option<(u64, String)>,
    /// What went wrong, or what was not found, since the last key.
    pub message: Option<String>,
    /// The help is shown, from this line on.
    pub help: Option<usize>,
    jobs: u64,
}

impl App {
    /// The workbench at its start.
    pub fn new(home: Home) -> App {
        App {
            home,
            view: View::Home,
            trace: None,
            screen_scroll: 0,
            running: None,
            message: None,
            help: None,
            jobs: 0,
        }
    }

    /// A key was pressed.
    pub fn key(&mut self, event: KeyEvent) -> Effect {
        let Some(key) = Key::of(event) else {
            return Effect::None;
        };
        let command = keys::find(self.view, key);
        if self.help.is_some() {
            return self.key_in_help(key);
        }
        if self.message.take().is_some() {
            return match command.map(|command| command.id) {
                Some("quit") => Effect::Quit,
                _ => Effect::None,
            };
        }
        match command {
            Some(command) => (command.act)(self, key),
            // Any other key leaves the stop screen.
            None if self.view == View::Stop => self.show_trace(),
            None => Effect::None,
        }
    }

    /// The help has its own scrolling; help, back and quit mean what they always mean.
    fn key_in_help(&mut self, key: Key) -> Effect {
        let command = keys::find(View::Trace, key);
        match (command.map(|c| c.id), &mut self.help) {
            (Some("next-row" | "next-page"), Some(line)) => *line += 1,
            (Some("previous-row" | "previous-page"), Some(line)) => *line = line.saturating_sub(1),
            (Some("quit"), _) => return Effect::Quit,
            _ => self.help = None,
        }
        Effect::None
    }

    /// A worker has news.
    pub fn reply(&mut self, reply: Reply) {
        if self.running.as_ref().map(|(id, _)| *id) != Some(reply.id) {
            return;
        }
        let still = |text: String| Some((reply.id, text));
        self.running = match reply.news {
            News::Running(seed) => still(format!("running seed {seed}")),
            News::Explaining(seed) => still(format!("explaining seed {seed}")),
            News::Done(trace) => {
                self.home.set_seed(trace.report.run.seed);
                let state = TraceState::new(*trace);
                self.screen_scroll = 0;
                self.help = None;
                self.view = match state.trace.report.screen {
                    Some(_) => View::Stop,
                    None => View::Trace,
                };
                self.trace = Some(state);
                None
            }
            News::NotFound(tries) => {
                self.message = Some(format!("all of {tries} seeds completed"));
                None
            }
            News::Failed(message) => {
                self.message = Some(message);
                None
            }
        };
    }

    /// The stop screen of the last run.
    pub fn screen(&self) -> Option<&Screen> {
        self.trace.as_ref()?.trace.report.screen.as_ref()
    }

    pub(super) fn start(&mut self, tries: u64) -> Effect {
        self.jobs += 1;
        match self.home.job(self.jobs, tries) {
            Ok(job) => {
                self.running = Some((job.id, format!("booting {}", job.scenario)));
                Effect::Start(job)
            }
            Err(message) => {
                self.message = Some(message);
                Effect::None
            }
        }
    }

    pub(super) fn show_trace(&mut self) -> Effect {
        match self.trace {
            Some(_) => self.view = View::Trace,
            None => self.message = Some("nothing has run yet".into()),
        }
        Effect::None
    }

    pub(super) fn show_screen(&mut self) -> Effect {
        match self.screen() {
            Some(_) => self.view = View::Stop,
            None => self.message = Some("the run did not end with a stop screen".into()),
        }
        Effect::None
    }

    pub(super) fn scroll_screen(&mut self, by: isize) -> Effect {
        let lines = self.screen().map_or(0, |screen| screen.lines.len());
        let to = self.screen_scroll.saturating_add_signed(by * 8);
        self.screen_scroll = to.min(lines.saturating_sub(1));
        Effect::None
    }

    pub(super) fn cancel(&mut self) -> Effect {
        match self.running.take() {
            Some(_) => Effect::Cancel,
            None => Effect::None,
        }
    }

    pub(super) fn back(&mut self) -> Effect {
        self.view = match self.view {
            View::Stop => View::Trace,
            View::Trace | View::Home => View::Home,
        };
        Effect::None
    }

    pub(super) fn toggle_help(&mut self) -> Effect {
        self.help = match self.help {
            None => Some(0),
            Some(_) => None,
        };
        Effect::None
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

    pub(super) fn focus(&mut self, pane: Pane) -> Effect {
        self.with_trace(|trace| trace.focus(pane))
    }

    pub(super) fn zoom_pane(&mut self) -> Effect {
        self.with_trace(|trace| trace.zoomed = !trace.zoomed)
    }

    pub(super) fn zoom_time(&mut self, by: isize) -> Effect {
        self.with_trace(|trace| trace.zoom_time(by))
    }
}
