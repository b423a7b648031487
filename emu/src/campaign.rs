//! A case, and running it once or many times: boot once, restore per schedule.

mod trail;

use crossbeam::channel;

use crate::choice::{Scope, Strategy, StrategyKind};
use crate::loader::{self, LoadError};
use crate::machine::{
    BootError, Driver, Ended, Granularity, Machine, Snapshot, Watch, boot, boot_from_start,
};
use crate::scenario::{DriverRef, Plan};
use trail::Trail;

/// Everything a run depends on besides its schedule.
#[derive(Clone)]
pub struct Case {
    /// What is run.
    pub plan: Plan,
    /// The drivers, in the order of the plan.
    pub drivers: Vec<Driver>,
}

/// The files of one driver.
pub struct DriverFiles {
    /// The name that messages give it: a path, or the bundled build.
    pub label: String,
    /// The `.sys`.
    pub sys: Vec<u8>,
    /// The `.pdb`, if there is one.
    pub pdb: Option<Vec<u8>>,
}

/// Why a case could not be put together.
#[derive(Clone, Debug)]
pub enum CaseError {
    /// A driver's file cannot be had; the message says which and why.
    File(String),
    /// A driver's file is not right.
    Load {
        /// The file.
        label: String,
        /// Why.
        error: LoadError,
    },
}

impl std::fmt::Display for CaseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CaseError::File(message) => f.write_str(message),
            CaseError::Load { label, error } => write!(f, "{label}: {error}"),
        }
    }
}

impl Case {
    /// Puts a case together from a plan and the files of its drivers.
    ///
    /// # Errors
    /// See [`CaseError`].
    pub fn load(
        plan: Plan,
        files: impl Fn(&DriverRef) -> Result<DriverFiles, String>,
    ) -> Result<Case, CaseError> {
        let mut drivers = Vec::new();
        for driver in &plan.drivers {
            let DriverFiles { label, sys, pdb } = files(driver).map_err(CaseError::File)?;
            let wrong = |error| CaseError::Load {
                label: label.clone(),
                error,
            };
            let name = format!("{}.sys", driver.name);
            let mut image = loader::parse(&name, &sys).map_err(wrong)?;
            if let Some(pdb) = pdb {
                image.attach_symbols(&pdb).map_err(wrong)?;
            }
            drivers.push(Driver {
                image,
                service: driver.service.clone(),
            });
        }
        Ok(Case { plan, drivers })
    }

    /// A machine that has booted and is ready for the workload.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn boot(&self, scope: impl Into<Scope>, watch: Watch) -> Result<Machine, BootError> {
        boot(&self.plan, &self.drivers, scope, watch)
    }

    /// The same, with the machine as it was before the first `DriverEntry`.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn boot_from_start(
        &self,
        scope: impl Into<Scope>,
        watch: Watch,
    ) -> Result<(Machine, Snapshot), BootError> {
        boot_from_start(&self.plan, &self.drivers, scope, watch)
    }
}

/// A booted machine that is run again and again from the same moment.
pub struct Campaign {
    machine: Machine,
    booted: Snapshot,
    /// Instructions of the boot.
    boot: u64,
    trail: Trail,
    /// Choices of the last run that had been made before it began.
    behind: u64,
}

impl Campaign {
    /// Boots the case.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn new(case: &Case, scope: impl Into<Scope>) -> Result<Campaign, BootError> {
        Campaign::watching(case, scope, Watch::Points)
    }

    /// The same, and every run leaves a record if it is watched like that.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn watching(
        case: &Case,
        scope: impl Into<Scope>,
        watch: Watch,
    ) -> Result<Campaign, BootError> {
        let mut machine = case.boot(scope, watch)?;
        let booted = machine.snapshot();
        Ok(Campaign {
            boot: machine.retired(),
            machine,
            booted,
            trail: Trail::default(),
            behind: 0,
        })
    }

    /// Runs one schedule.
    pub fn run(&mut self, strategy: Box<dyn Strategy>) -> Ended {
        self.run_and_return(strategy).0
    }

    /// The same for who wants the strategy back, with what it has learnt.
    pub fn run_and_return(&mut self, strategy: Box<dyn Strategy>) -> (Ended, Box<dyn Strategy>) {
        let moves = strategy.follows().map(|moves| moves.0.clone());
        // The record of a run begins where the run does.
        match moves.filter(|_| !self.machine.recorder.keeps()) {
            Some(moves) => self.follow(strategy, &moves),
            None => {
                self.machine.restore(&self.booted);
                self.behind = 0;
                self.machine.run_and_return(strategy)
            }
        }
    }

    /// Choices that the last run did not make itself: it began behind them, where an earlier one had
    /// come by.
    pub fn started_behind(&self) -> u64 {
        self.behind
    }

    /// Runs a schedule of which the beginning is known, from the last moment on its way that is kept.
    fn follow(
        &mut self,
        mut strategy: Box<dyn Strategy>,
        moves: &[(u64, u32)],
    ) -> (Ended, Box<dyn Strategy>) {
        self.trail.retreat(moves);
        let made = match self.trail.last() {
            Some((snapshot, made)) => {
                self.machine.restore(snapshot);
                made
            }
            None => {
                self.machine.restore(&self.booted);
                0
            }
        };
        strategy.begin_behind(made);
        self.machine.begin_behind(&moves[..made]);
        let mut choices = self.machine.position().choice;
        self.behind = choices;
        while let Some(next) = self.trail.next(choices, moves) {
            let ended;
            (ended, strategy) = self.machine.run_before(strategy, next);
            if let Some(ended) = ended {
                return (self.ended(ended), strategy);
            }
            choices = self.machine.position().choice;
            if self.machine.can_be_kept() {
                self.trail.keep(&mut self.machine, moves);
            }
        }
        let (ended, strategy) = self.machine.run_on(strategy);
        (self.ended(ended), strategy)
    }

    /// Tells the trail how long a run was.
    fn ended(&mut self, ended: Ended) -> Ended {
        let instructions = ended.instructions.saturating_sub(self.boot);
        self.trail.ended(ended.choices, instructions);
        ended
    }

    /// The machine, as the last run left it.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }
}

/// Runs a strategy with every seed of a range on `jobs` worker threads. The results are in the
/// order of the seeds and do not depend on `jobs`. `done` hears of each as it comes and may end
/// the campaign by returning false; what is then missing is `None`.
///
/// # Errors
/// See [`BootError`].
pub fn seeds(
    case: &Case,
    granularity: Granularity,
    strategy: &StrategyKind,
    seeds: std::ops::Range<u64>,
    jobs: usize,
    mut done: impl FnMut(u64, &Ended) -> bool,
) -> Result<Vec<Option<Ended>>, BootError> {
    let (work, queue) = channel::unbounded();
    seeds
        .clone()
        .for_each(|seed| work.send(seed).expect("the receiver is here"));
    drop(work);
    let (report, results) = channel::unbounded();
    let mut out: Vec<Option<Ended>> = seeds.clone().map(|_| None).collect();
    let mut failed = None;
    crossbeam::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (queue, report) = (queue.clone(), report.clone());
            scope.spawn(move |_| {
                let mut campaign = match Campaign::new(case, granularity) {
                    Ok(campaign) => campaign,
                    Err(error) => return drop(report.send(Err(error))),
                };
                for seed in queue {
                    let ended = campaign.run(strategy.start(seed));
                    if report.send(Ok((seed, ended))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(report);
        // Leaving this loop early drops the receiver, which ends the workers.
        for result in results {
            match result {
                Err(error) => failed = Some(error),
                Ok((seed, ended)) => {
                    let go_on = done(seed, &ended);
                    out[(seed - seeds.start) as usize] = Some(ended);
                    if !go_on {
                        return;
                    }
                }
            }
        }
    })
    .expect("a worker panicked");
    match failed {
        Some(error) if out.iter().all(Option::is_none) => Err(error),
        _ => Ok(out),
    }
}
