//! How a search is getting on, on standard error, if that is a terminal.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use emu::search::Progress;

/// How often the line changes.
const PERIOD: Duration = Duration::from_millis(200);

/// See the module.
pub(super) struct Meter {
    total: u64,
    shown: bool,
    began: Instant,
    /// Schedules that were done before.
    before: Option<u64>,
    last: Option<Instant>,
}

impl Meter {
    /// For a search of at most `total` schedules.
    pub(super) fn new(total: u64) -> Meter {
        Meter {
            total,
            shown: stderr().is_terminal(),
            began: Instant::now(),
            before: None,
            last: None,
        }
    }

    /// Shows where the search is.
    pub(super) fn show(&mut self, progress: &Progress<'_>) {
        let tally = progress.tally;
        let before = *self.before.get_or_insert(tally.schedules);
        let early = self.last.is_some_and(|last| last.elapsed() < PERIOD);
        if !self.shown || early {
            return;
        }
        self.last = Some(Instant::now());
        let seconds = self.began.elapsed().as_secs_f64().max(0.001);
        let rate = (tally.schedules - before) as f64 / seconds;
        let mut line = format!("{} schedules", tally.schedules);
        if self.total != u64::MAX {
            line += &format!(" of {}", self.total);
        }
        line += &format!(", {rate:.0}/s, {} stop", tally.stops());
        let kinds = tally.groups.iter().filter(|g| !g.signature.is_completed());
        line += &format!(" in {} ways", kinds.count());
        let coverage = progress.search.coverage();
        if let Some(placements) = coverage.placements.filter(|_| !coverage.exhausted) {
            let sum = |all: &[u64]| all.iter().sum::<u64>();
            let (run, known) = (sum(&placements.run), sum(&placements.known));
            line += &format!(", {run} of {known} placements");
        } else if let Some(share) = coverage.share.filter(|&s| s > 0.0) {
            let left = seconds * (1.0 - share) / share;
            line += &format!(", about {:.1} % seen, {left:.0} s left", 100.0 * share);
        }
        let _ = write!(stderr(), "\r{line:78}");
    }

    /// Says what is being done after the schedules.
    pub(super) fn say(&mut self, what: &str) {
        if self.shown {
            self.last = Some(Instant::now());
            let _ = write!(stderr(), "\r{what:78}");
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.last.is_some() {
            let _ = write!(stderr(), "\r{:78}\r", "");
        }
    }
}
