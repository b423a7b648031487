//! A search as the workbench shows it: how far it is, and what it has found.

use std::collections::BTreeMap;

use emu::choice::Moves;
use emu::oracle::Told;
use emu::search::{Coverage, Tally};

use super::search_job::SearchJob;
use super::worker::{CaseChoice, Task};

/// A search that goes on, or has ended.
pub struct SearchState {
    /// Its number; news carry it.
    pub id: u64,
    /// What is searched, in a few words.
    pub title: String,
    /// The command line that does the same.
    pub line: String,
    /// Schedules after which it ends by itself; `u64::MAX`: when there are no more.
    pub most: u64,
    /// What it is doing.
    pub phase: Phase,
    /// How far it is.
    pub at: Snapshot,
    /// The shortest forms of what it found, by index of the group.
    pub shrunk: BTreeMap<usize, Short>,
    /// What rules and oracles found in the runs that they have looked at.
    pub findings: Vec<Found>,
    /// Index of the selected group; behind the groups come the findings.
    pub selected: usize,
    /// Index of the selected one of its runs.
    pub run: usize,
    /// The user has selected it; otherwise the first group that stops is.
    chosen: bool,
    case: CaseChoice,
}

/// What a rule or an oracle found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The finding.
    pub told: Told,
    /// The run that shows it, in a few words.
    pub run: String,
    /// Its schedule.
    pub moves: Moves,
    /// The strategy that found the run.
    pub strategy: String,
    /// Its seed.
    pub seed: u64,
}

/// A run that can be opened.
pub struct Run {
    /// What it is, in a few words.
    pub what: String,
    moves: Moves,
    strategy: String,
    seed: u64,
    /// The signature of the finding that it is opened for.
    finding: Option<String>,
}

/// What a search is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The first machine boots.
    Booting,
    /// Schedules are run.
    Searching,
    /// It was told to end, and finishes what it has begun.
    Ending,
    /// Rules and oracles look at a run.
    Looking,
    /// This one of so many groups, from 1, is being shrunk.
    Shrinking(usize, usize),
    /// Nothing more will come.
    Ended,
    /// It could not be done.
    Failed(String),
}

/// How far a search is.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// What it has counted.
    pub tally: Tally,
    /// How much of the space that is.
    pub coverage: Coverage,
    /// For how long it has been running schedules, in seconds.
    pub seconds: f64,
}

/// The shortest form of a run.
#[derive(Clone, Debug)]
pub struct Short {
    /// Its schedule.
    pub moves: Moves,
    /// Faults that strike in it because the schedule says so.
    pub faults: usize,
    /// Preemptions in it.
    pub preemptions: usize,
    /// Moves that are none.
    pub others: usize,
    /// No schedule with fewer preemptions ends like that.
    pub fewest: bool,
}

/// What is new about a search.
pub enum News {
    /// It is so far.
    Progress(Snapshot),
    /// Rules and oracles look at a run.
    Looking,
    /// They have found this.
    Found(Box<Found>),
    /// This one of so many groups is being shrunk.
    Shrinking(usize, usize),
    /// The group with this index has this shortest form.
    Shrunk(usize, Short),
    /// Nothing more will come.
    Ended,
    /// It cannot be done.
    Failed(String),
}

impl SearchState {
    /// The search before its first schedule.
    pub fn new(job: &SearchJob) -> SearchState {
        SearchState {
            id: job.id,
            title: job.title(),
            line: job.line.clone(),
            most: job.most,
            phase: Phase::Booting,
            at: Snapshot::default(),
            shrunk: BTreeMap::new(),
            findings: Vec::new(),
            selected: 0,
            run: 0,
            chosen: false,
            case: job.case.clone(),
        }
    }

    /// Something is new.
    pub fn note(&mut self, news: News) {
        match news {
            News::Progress(snapshot) => {
                if self.phase == Phase::Booting {
                    self.phase = Phase::Searching;
                }
                self.at = snapshot;
                if !self.chosen {
                    let mut groups = self.at.tally.groups.iter();
                    let stop = groups.position(|group| !group.signature.is_completed());
                    self.selected = stop.unwrap_or(0);
                }
            }
            News::Looking => self.phase = Phase::Looking,
            News::Found(found) => {
                // The same mistake in another run is no other one.
                let known = |other: &Found| other.told.signature == found.told.signature;
                if !self.findings.iter().any(known) {
                    self.findings.push(*found);
                }
            }
            News::Shrinking(group, of) => self.phase = Phase::Shrinking(group, of),
            News::Shrunk(group, short) => drop(self.shrunk.insert(group, short)),
            News::Ended => self.phase = Phase::Ended,
            News::Failed(problem) => self.phase = Phase::Failed(problem),
        }
    }

    /// Whether something more will come.
    pub fn goes_on(&self) -> bool {
        !matches!(self.phase, Phase::Ended | Phase::Failed(_))
    }

    /// The user has had enough.
    pub fn ending(&mut self) {
        if matches!(self.phase, Phase::Booting | Phase::Searching) {
            self.phase = Phase::Ending;
        }
    }

    /// Moves the selection.
    pub fn select(&mut self, by: isize) {
        self.select_at(self.selected.saturating_add_signed(by));
    }

    /// Selects a group, or behind the groups a finding.
    pub fn select_at(&mut self, row: usize) {
        let rows = self.at.tally.groups.len() + self.findings.len();
        self.selected = row.min(rows.saturating_sub(1));
        self.run = 0;
        self.chosen = true;
    }

    /// Selects another run of the group.
    pub fn select_run(&mut self, by: isize) {
        let last = self.runs().len().saturating_sub(1);
        self.run = self.run.saturating_add_signed(by).min(last);
        self.chosen = true;
    }

    /// The selected finding, if one is.
    pub fn finding(&self) -> Option<&Found> {
        let groups = self.at.tally.groups.len();
        self.findings.get(self.selected.checked_sub(groups)?)
    }

    /// The runs of the selected group that are known, with what they are: the one that was shrunk,
    /// the first, and those with the fewest moves; or the run of the selected finding.
    pub fn runs(&self) -> Vec<Run> {
        if let Some(found) = self.finding() {
            return vec![Run {
                what: found.run.clone(),
                moves: found.moves.clone(),
                strategy: found.strategy.clone(),
                seed: found.seed,
                finding: Some(found.told.signature.clone()),
            }];
        }
        let Some(group) = self.at.tally.groups.get(self.selected) else {
            return Vec::new();
        };
        let run = |what: String, moves, by: &emu::search::Finding| Run {
            what,
            moves,
            strategy: by.strategy.clone(),
            seed: by.seed.unwrap_or_default(),
            finding: None,
        };
        let mut runs: Vec<Run> = Vec::new();
        if let Some(short) = self.shrunk.get(&self.selected) {
            runs.push(run("shrunk".into(), short.moves.clone(), &group.first));
        }
        for finding in [&group.first].into_iter().chain(&group.short) {
            let Ok(moves) = finding.moves.parse() else {
                continue;
            };
            if runs.iter().all(|known| known.moves != moves) {
                let what = format!("schedule {}, {} moves", finding.schedule, finding.length);
                runs.push(run(what, moves, finding));
            }
        }
        runs
    }

    /// Schedules per second.
    pub fn rate(&self) -> f64 {
        self.at.tally.schedules as f64 / self.at.seconds.max(0.001)
    }

    /// Seconds until it ends by itself, as far as that can be told: from the share of the space
    /// that has been seen, or from the limit of schedules, whichever comes first.
    pub fn seconds_left(&self) -> Option<f64> {
        let (seconds, done) = (self.at.seconds, self.at.tally.schedules);
        let share = self.at.coverage.share.filter(|share| *share > 0.0);
        let by_share = share.map(|share| seconds * (1.0 - share) / share);
        let limited = self.most != u64::MAX && done > 0;
        let by_limit =
            limited.then(|| seconds * self.most.saturating_sub(done) as f64 / done as f64);
        by_share.into_iter().chain(by_limit).reduce(f64::min)
    }

    /// What makes the selected run again.
    pub fn open(&self) -> Option<(CaseChoice, Task)> {
        let mut runs = self.runs();
        let at = self.run.min(runs.len().checked_sub(1)?);
        let run = runs.swap_remove(at);
        let task = Task::Moves {
            moves: run.moves,
            strategy: run.strategy,
            seed: run.seed,
            finding: run.finding,
            best_effort: false,
        };
        Some((self.case.clone(), task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::commands::explore_job;

    #[test]
    fn the_time_left_is_that_of_the_limit_or_of_the_space() {
        let mut job = explore_job(&["port".to_owned()]).unwrap();
        job.most = 1000;
        let mut state = SearchState::new(&job);
        assert_eq!(state.seconds_left(), None, "nothing is known yet");
        state.at.seconds = 2.0;
        state.at.tally.schedules = 500;
        assert_eq!(state.rate(), 250.0);
        assert_eq!(state.seconds_left(), Some(2.0));
        state.at.coverage.share = Some(0.5);
        state.most = 4000;
        assert_eq!(state.seconds_left(), Some(2.0), "of 14 by the limit");
        state.most = u64::MAX;
        assert_eq!(state.seconds_left(), Some(2.0));
    }
}
