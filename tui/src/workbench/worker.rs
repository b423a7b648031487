//! Emulation, away from the thread that draws.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use emu::choice::StrategyKind;
use emu::machine::Granularity;
use emu::scenario::Selection;
use emu::stop::Stop;

use super::trace::Trace;
use crate::failure::Outcome;
use crate::session::Session;

/// What is to be run.
#[derive(Clone)]
pub struct Job {
    /// Its number; replies carry it.
    pub id: u64,
    /// The scenario.
    pub scenario: String,
    /// What was chosen for it.
    pub selection: Selection,
    /// How often the outside world decides.
    pub granularity: Granularity,
    /// What answers the choices.
    pub strategy: &'static StrategyKind,
    /// The seed, or the first one of a search.
    pub seed: u64,
    /// How many seeds are tried until one does not complete; 1 runs the seed whatever its end.
    pub tries: u64,
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
    /// The run is explained now.
    Explaining(u64),
    /// The job is done.
    Done(Box<Trace>),
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

/// Runs the job; `None` if nobody wants it any more.
pub(super) fn carry_out(job: &Job, tell: &dyn Fn(News) -> bool) -> Outcome<Option<News>> {
    let session = Session::new(&job.scenario, job.selection.clone(), job.granularity)?;
    let mut campaign = session.campaign()?;
    let hints = session.hints(job.strategy)?;
    for seed in (job.seed..=u64::MAX).take(usize::try_from(job.tries).unwrap_or(usize::MAX)) {
        if !tell(News::Running(seed)) {
            return Ok(None);
        }
        let ended = campaign.run((job.strategy.make)(seed, &hints));
        if job.tries > 1 && ended.stop == Stop::Completed {
            continue;
        }
        if !tell(News::Explaining(seed)) {
            return Ok(None);
        }
        let header = session.header(job.strategy.name, seed);
        let explained = session.explain(&ended, &header)?;
        return Ok(Some(News::Done(Box::new(Trace::new(explained)))));
    }
    Ok(Some(News::NotFound(job.tries)))
}
