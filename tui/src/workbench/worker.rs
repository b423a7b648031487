//! Emulation, away from the thread that draws.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use emu::choice::strategy::Replay;
use emu::choice::{Moves, StrategyKind};
use emu::explain::{Explained, RunHeader};
use emu::machine::Granularity;
use emu::scenario::Selection;
use emu::stop::Stop;

use super::saving;
use super::trace::{Diff, Trace, findings};
use crate::catalogue::Source;
use crate::cli::CaseArgs;
use crate::command::replay;
use crate::failure::{Failure, Outcome};
use crate::replay_line::Answers;
use crate::schedule_file::ScheduleFile;
use crate::session::{Openness, Session};

/// A scenario and what was chosen for it.
#[derive(Clone, Debug)]
pub struct CaseChoice {
    /// The scenario; for a recorded run, its file.
    pub scenario: String,
    /// What was chosen for it.
    pub selection: Selection,
    /// Which decisions are left open.
    pub openness: Openness,
    /// The scenario itself, where the name alone does not give it: that of a recorded run.
    pub source: Option<Arc<Source>>,
}

impl CaseChoice {
    /// What the command line chooses.
    pub fn of(args: &CaseArgs) -> CaseChoice {
        CaseChoice {
            scenario: args.scenario.clone(),
            selection: args.selection(),
            openness: args.openness(),
            source: None,
        }
    }
}

impl CaseChoice {
    /// The session that runs it.
    ///
    /// # Errors
    /// Bad input.
    pub fn session(&self) -> Outcome<Session> {
        let (selection, openness) = (self.selection.clone(), self.openness);
        match &self.source {
            Some(source) => Session::of((**source).clone(), selection, openness),
            None => Session::new(&self.scenario, selection, openness),
        }
    }
}

impl Default for CaseChoice {
    fn default() -> CaseChoice {
        CaseChoice {
            scenario: String::new(),
            selection: Selection::default(),
            openness: Granularity::Access.into(),
            source: None,
        }
    }
}

/// Which run of a case it is.
#[derive(Clone)]
pub enum Task {
    /// A seed, or the first seed that does not complete.
    Seeds {
        /// What answers the choices.
        strategy: &'static StrategyKind,
        /// The first seed.
        first: u64,
        /// How many seeds are tried; 1 runs the seed whatever its end.
        tries: u64,
    },
    /// A schedule.
    Moves {
        /// The schedule.
        moves: Moves,
        /// The strategy that found it.
        strategy: String,
        /// Its seed.
        seed: u64,
        /// The signature of the finding that it is run for, if it is one.
        finding: Option<String>,
        /// As far as it goes: what it is a schedule of has changed.
        best_effort: bool,
    },
    /// What a file says.
    Recorded {
        /// As far as it goes.
        best_effort: bool,
    },
}

/// What a run is compared with once it has been made.
#[derive(Clone)]
pub enum Beside {
    /// This run, called so, beside the new one.
    Run(Arc<Trace>, String),
    /// The new one beside this run.
    New(Arc<Trace>),
    /// The run of a file beside the new one.
    File(String),
}

/// What is to be run.
#[derive(Clone)]
pub struct Job {
    /// Its number; replies carry it.
    pub id: u64,
    /// What is run.
    pub case: CaseChoice,
    /// Which run of it.
    pub task: Task,
    /// The file that the schedule is written to.
    pub save: Option<PathBuf>,
    /// What it is compared with.
    pub beside: Option<Beside>,
}

/// News of a job.
pub struct Reply {
    /// Number of the job.
    pub id: u64,
    /// What is new.
    pub news: News,
}

/// What is new about a job.
pub enum News {
    /// This seed is running.
    Running(u64),
    /// A schedule is being followed: that of a file, or one that was found.
    Replaying(String),
    /// The run is explained now.
    Explaining,
    /// The job is done.
    Done(Box<Trace>),
    /// The job is done, and the run has been compared: with the other one, if that is new, too.
    Compared(Box<(Trace, Option<Trace>, Diff)>),
    /// None of the seeds of a search stopped: so many were tried.
    NotFound(u64),
    /// The input is bad.
    Failed(String),
}

/// Runs jobs, one at a time: a new one makes the one before it obsolete.
pub struct Worker<F> {
    /// Number of the job that is wanted; 0 is none.
    wanted: Arc<AtomicU64>,
    reply: Arc<F>,
}

impl<F: Fn(Reply) -> bool + Send + Sync + 'static> Worker<F> {
    /// A worker that gives its news to `reply`, which says whether anybody listens.
    pub fn new(reply: F) -> Worker<F> {
        Worker {
            wanted: Arc::default(),
            reply: Arc::new(reply),
        }
    }

    /// Starts a job.
    pub fn start(&self, job: Job) {
        self.wanted.store(job.id, Ordering::Relaxed);
        let (wanted, reply) = (self.wanted.clone(), self.reply.clone());
        thread::spawn(move || {
            let id = job.id;
            // A run in progress is not interrupted; what it ends as is then not asked for.
            let tell = |news| wanted.load(Ordering::Relaxed) == id && reply(Reply { id, news });
            let news = match carry_out(&job, &tell) {
                Ok(Some(news)) => news,
                Ok(None) => return,
                Err(failure) => News::Failed(failure.to_string()),
            };
            tell(news);
        });
    }

    /// Makes the current job obsolete.
    pub fn cancel(&self) {
        self.wanted.store(0, Ordering::Relaxed);
    }
}

/// Runs the job and compares what came of it; `None` if nobody wants it any more.
pub(super) fn carry_out(job: &Job, tell: &dyn Fn(News) -> bool) -> Outcome<Option<News>> {
    let Some(beside) = &job.beside else {
        return run(job, tell);
    };
    let news = run(job, tell)?;
    let Some(News::Done(new)) = news else {
        return Ok(news);
    };
    let (other, diff) = match beside {
        Beside::Run(run, name) => (None, Diff::new(&new, run, name.clone())),
        Beside::New(run) => {
            let diff = Diff::new(run, &new, job.case.scenario.clone());
            (None, diff)
        }
        Beside::File(file) => {
            if !tell(News::Replaying(file.clone())) {
                return Ok(None);
            }
            let (_, explained) = replay::explained(file, false, &mut |_| {})?;
            let other = Trace::new(explained);
            let diff = Diff::new(&new, &other, file.clone());
            (Some(other), diff)
        }
    };
    Ok(Some(News::Compared(Box::new((*new, other, diff)))))
}

/// Runs the job; `None` if nobody wants it any more.
fn run(job: &Job, tell: &dyn Fn(News) -> bool) -> Outcome<Option<News>> {
    let done = |session: &Session, explained, notes| {
        let schedule = format!("{}\n", ScheduleFile::of(session, &explained));
        let mut trace = Trace::new(explained);
        trace.case = Some(CaseChoice {
            scenario: session.source.name.clone(),
            selection: session.selection.clone(),
            openness: session.openness,
            source: Some(Arc::new(session.source.clone())),
        });
        trace.schedule = schedule;
        trace.remarks = notes;
        let finding = match &job.task {
            Task::Moves { finding, .. } => finding.as_deref(),
            _ => None,
        };
        trace.reason = findings::explain(&mut trace.report, finding);
        saving::weigh(session, &mut trace)?;
        if let Some(record) = trace.record.clone() {
            trace.traveller = Mutex::new(Some(Box::new(session.traveller(record)?)));
        }
        Ok(Some(News::Done(Box::new(trace))))
    };
    if let Task::Recorded { best_effort } = job.task {
        if !tell(News::Replaying(job.case.scenario.clone())) {
            return Ok(None);
        }
        let mut notes = Vec::new();
        let (session, explained) =
            replay::explained(&job.case.scenario, best_effort, &mut |note| {
                notes.push(note)
            })?;
        return done(&session, explained, notes);
    }
    let session = job.case.session()?;
    let explained = match &job.task {
        Task::Recorded { .. } => None,
        Task::Seeds {
            strategy,
            first,
            tries,
        } => match stopping(&session, strategy, *first, *tries, tell)? {
            Found::Run(explained) => Some(*explained),
            Found::Nothing => return Ok(Some(News::NotFound(*tries))),
            Found::Unwanted => None,
        },
        Task::Moves {
            moves,
            strategy,
            seed,
            best_effort,
            ..
        } => {
            if !tell(News::Replaying("the schedule".into())) {
                return Ok(None);
            }
            let made;
            let moves = match best_effort {
                true => {
                    let follow = Box::new(Replay::new(moves.clone()));
                    made = session.campaign()?.run(follow).moves;
                    &made
                }
                false => moves,
            };
            let header = RunHeader {
                seed: *seed,
                strategy: strategy.clone(),
                replay_line: session.replay_line(Answers::Schedule(&moves.to_string())),
            };
            Some(session.run_moves(moves, "the schedule", &header)?)
        }
    };
    let Some(explained) = explained else {
        return Ok(None);
    };
    if let Some(path) = &job.save {
        let file = ScheduleFile::of(&session, &explained);
        fs::write(path, format!("{file}\n")).map_err(|e| Failure::at(path.display(), e))?;
    }
    done(&session, explained, Vec::new())
}

/// What came of trying seeds.
enum Found {
    Run(Box<Explained>),
    Nothing,
    Unwanted,
}

fn stopping(
    session: &Session,
    strategy: &'static StrategyKind,
    first: u64,
    tries: u64,
    tell: &dyn Fn(News) -> bool,
) -> Outcome<Found> {
    let mut campaign = session.campaign()?;
    let hints = session.hints(strategy)?;
    for seed in (first..=u64::MAX).take(usize::try_from(tries).unwrap_or(usize::MAX)) {
        if !tell(News::Running(seed)) {
            return Ok(Found::Unwanted);
        }
        let ended = campaign.run((strategy.make)(seed, &hints));
        if tries > 1 && ended.stop == Stop::Completed {
            continue;
        }
        if !tell(News::Explaining) {
            return Ok(Found::Unwanted);
        }
        let header = session.header(strategy.name, seed);
        return Ok(Found::Run(Box::new(session.explain(&ended, &header)?)));
    }
    Ok(Found::Nothing)
}
