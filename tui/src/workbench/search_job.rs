//! Searching, away from the thread that draws: as `irqlab explore` does, with news instead of a
//! result.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use emu::choice::Moves;
use emu::choice::strategy::Replay;
use emu::explain::RunHeader;
use emu::search::{self, Finding, Limits, Tally};

use super::search::{Found, News, Short, Snapshot};
use super::worker::CaseChoice;
use crate::cli::ExploreArgs;
use crate::command::explore::Chosen;
use crate::failure::Outcome;
use crate::replay_line::quoted;
use crate::session::Session;

/// How often there is news of schedules: more often than anybody reads, seldom enough to be cheap.
const PERIOD: Duration = Duration::from_millis(100);

/// What is to be searched.
pub struct SearchJob {
    /// Its number; news carry it.
    pub id: u64,
    /// What is run.
    pub case: CaseChoice,
    /// The command line that does the same.
    pub line: String,
    /// Schedules after which it ends.
    pub most: u64,
    args: ExploreArgs,
    chosen: Chosen,
}

impl SearchJob {
    /// The search that these arguments of `irqlab explore` ask for; the words are the arguments.
    ///
    /// # Errors
    /// They do not fit each other.
    pub fn new(args: ExploreArgs, words: &[String]) -> Result<SearchJob, String> {
        let chosen = Chosen::of(&args).map_err(|failure| failure.to_string())?;
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        Ok(SearchJob {
            id: 0,
            case: CaseChoice {
                selection: args.selection(),
                ..CaseChoice::of(&args.case)
            },
            line: format!("irqlab explore {}", words.join(" ")),
            most: chosen.schedules,
            args,
            chosen,
        })
    }

    /// What is searched, in a few words.
    pub fn title(&self) -> String {
        let on = self
            .args
            .case
            .profile
            .map(|profile| format!(" on {}", profile.name()));
        let on = on.unwrap_or_default();
        format!("{}{on} │ {}", self.args.case.scenario, self.chosen.name)
    }
}

/// Searches, one at a time: a new one ends the one before it.
pub struct Searcher<F> {
    wanted: Arc<Wanted>,
    tell: Arc<F>,
}

/// What searches ask whether they are still wanted.
#[derive(Default)]
struct Wanted {
    /// Number of the search that runs schedules; 0 is none.
    searching: AtomicU64,
    /// Number of the search that shrinks what it has found.
    shrinking: AtomicU64,
}

impl<F: Fn(u64, News) -> bool + Send + Sync + 'static> Searcher<F> {
    /// A searcher that gives its news to `tell`, which says whether anybody listens.
    pub fn new(tell: F) -> Searcher<F> {
        Searcher {
            wanted: Arc::default(),
            tell: Arc::new(tell),
        }
    }

    /// Starts a search.
    pub fn start(&self, job: SearchJob) {
        self.wanted.searching.store(job.id, Ordering::Relaxed);
        self.wanted.shrinking.store(job.id, Ordering::Relaxed);
        let (wanted, tell) = (self.wanted.clone(), self.tell.clone());
        thread::spawn(move || {
            let tell = |news| tell(job.id, news);
            let is = |what: &AtomicU64| what.load(Ordering::Relaxed) == job.id;
            let searching = || is(&wanted.searching);
            let shrinking = || {
                // Who asks this has done searching: the next end is that of shrinking.
                let done = (Ordering::Relaxed, Ordering::Relaxed);
                let _ = wanted.searching.compare_exchange(job.id, 0, done.0, done.1);
                is(&wanted.shrinking)
            };
            let news = match carry_out(&job, &tell, &searching, &shrinking) {
                Ok(()) => News::Ended,
                Err(failure) => News::Failed(failure.to_string()),
            };
            // Nobody may be listening any more.
            let _ = tell(news);
        });
    }

    /// Ends the search; a second time, ends shrinking.
    pub fn end(&self) {
        if self.wanted.searching.swap(0, Ordering::Relaxed) == 0 {
            self.wanted.shrinking.store(0, Ordering::Relaxed);
        }
    }
}

/// Searches while that is wanted, and then shrinks what was found while that is wanted.
fn carry_out(
    job: &SearchJob,
    tell: &dyn Fn(News) -> bool,
    searching: &dyn Fn() -> bool,
    shrinking: &dyn Fn() -> bool,
) -> Outcome<()> {
    let session = job.case.session()?;
    let mut search = job.chosen.search(&session)?;
    let mut tally = Tally::default();
    let jobs = job.args.jobs.map(usize::from);
    let jobs = jobs.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let limits = Limits {
        schedules: job.most,
        until_first: job.args.until_first,
    };
    let until = job.args.time.map(Duration::from_secs);
    // The clock starts when the first schedule does.
    let mut began = None;
    let mut told: Option<Instant> = None;
    let driven = search::drive(
        &session.loaded.case,
        &session.scope,
        &mut *search,
        &mut tally,
        limits,
        jobs,
        |progress| {
            let began = *began.get_or_insert_with(Instant::now);
            let in_time = until.is_none_or(|until| began.elapsed() < until);
            let heard = if told.is_none_or(|told| told.elapsed() >= PERIOD) {
                told = Some(Instant::now());
                tell(News::Progress(Snapshot {
                    tally: progress.tally.clone(),
                    coverage: progress.search.coverage(),
                    seconds: began.elapsed().as_secs_f64(),
                }))
            } else {
                true
            };
            heard && in_time && searching()
        },
    );
    driven.map_err(|error| session.failure(&error))?;
    tell(News::Progress(Snapshot {
        coverage: search.coverage(),
        seconds: began.map_or(0.0, |began| began.elapsed().as_secs_f64()),
        tally: tally.clone(),
    }));
    if !session.loaded.case.plan.oracles.is_empty() && shrinking() {
        // The schedule in which nobody interferes shows what no luck is needed for.
        let run = "the run in which nobody interferes".to_owned();
        look(&session, run, &Moves::default(), None, tell)?;
    }
    shrink(job, &session, &tally, tell, shrinking)
}

/// Tells what rules and oracles find in a run.
fn look(
    session: &Session,
    run: String,
    moves: &Moves,
    of: Option<&Finding>,
    tell: &dyn Fn(News) -> bool,
) -> Outcome<()> {
    if !tell(News::Looking) {
        return Ok(());
    }
    let ended = session
        .campaign()?
        .run(Box::new(Replay::new(moves.clone())));
    let explained = session.explain(&ended, &RunHeader::default())?;
    for told in explained.report.findings {
        let found = Found {
            told,
            run: run.clone(),
            moves: moves.clone(),
            strategy: of.map_or_else(|| "default".into(), |of| of.strategy.clone()),
            seed: of.and_then(|of| of.seed).unwrap_or_default(),
        };
        if !tell(News::Found(Box::new(found))) {
            break;
        }
    }
    Ok(())
}

/// Looks for the shortest form of what was found, group after group, unless that is not wanted, and
/// at what rules and oracles find in it.
fn shrink(
    job: &SearchJob,
    session: &Session,
    tally: &Tally,
    tell: &dyn Fn(News) -> bool,
    wanted: &dyn Fn() -> bool,
) -> Outcome<()> {
    let stops = tally.groups.iter().enumerate();
    let stops: Vec<_> = stops.filter(|(_, g)| !g.signature.is_completed()).collect();
    for (i, (at, group)) in stops.iter().enumerate() {
        if !wanted() {
            return Ok(());
        }
        let mut run = format!("the run of schedule {}", group.first.schedule);
        let mut moves = group.first.moves.parse().unwrap_or_default();
        if !job.args.no_shrink {
            if !tell(News::Shrinking(i + 1, stops.len())) {
                return Ok(());
            }
            let begin = group.shortest();
            let mut campaign = session.campaign()?;
            if let Some(found) = search::shrink_best(&mut campaign, &begin, &group.signature) {
                moves = found.ended.moves.clone();
                run = "the shrunk run".into();
                tell(News::Shrunk(
                    *at,
                    Short {
                        moves: found.ended.moves,
                        faults: found.faults,
                        preemptions: found.preemptions,
                        others: found.others,
                        fewest: found.fewest,
                    },
                ));
            }
        }
        let run = format!("{run} that ended in {}", group.signature.what);
        look(session, run, &moves, Some(&group.first), tell)?;
    }
    Ok(())
}
