//! What the commands do to the workbench.

use std::path::PathBuf;

use super::app::{App, Effect, Overlay, Running, View};
use super::help::Text;
use super::home::Row;
use super::line::Line;
use super::palette::Palette;
use super::search::SearchState;
use super::search_job::SearchJob;
use super::trace::TraceState;
use super::worker::{Beside, CaseChoice, Job, Task};

impl App {
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
            compares: false,
        });
        Effect::Start(Box::new(Job {
            id: self.jobs,
            case,
            task,
            save,
            beside: None,
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

    /// Compares the trace with a recorded run, or two recorded runs with each other.
    pub(super) fn diff(&mut self, words: &[String]) -> Effect {
        match (words, &self.trace) {
            ([file], Some(state)) => {
                let beside = Beside::New(state.trace.clone());
                self.replay_beside(file.clone(), beside, true)
            }
            ([_], None) => Effect::Refuse(
                "nothing has run yet\nmend: name two recorded runs, or run something".into(),
            ),
            ([one, other], _) => {
                self.replay_beside(one.clone(), Beside::File(other.clone()), false)
            }
            _ => Effect::Refuse("mend: write the names of one or two recorded runs".into()),
        }
    }

    fn replay_beside(&mut self, file: String, beside: Beside, compares: bool) -> Effect {
        let effect = self.replay(file, false);
        if let Some(running) = &mut self.running {
            running.compares = compares;
        }
        effect.beside(beside)
    }

    /// Marks the chosen recorded run; the second one that is marked is compared with the first.
    pub(super) fn mark_chosen(&mut self) -> Effect {
        match self.home.mark() {
            Ok(Some((one, other))) => self.diff(&[one, other]),
            Ok(None) => Effect::None,
            Err(why) => Effect::Refuse(why),
        }
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

    pub(super) fn select_run(&mut self, by: isize) -> Effect {
        if let Some(search) = &mut self.search {
            search.select_run(by);
        }
        Effect::None
    }

    /// Opens the selected run of the selected group.
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
                    forked: Some(forked),
                    ..
                }) => {
                    self.travellers.push((id, None));
                    self.case = forked.case;
                    self.trace = Some(*forked.from);
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
}
