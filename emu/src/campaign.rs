//! A case, and running it once or many times: boot once, restore per schedule.

use crossbeam::channel;

use crate::choice::{Strategy, StrategyKind};
use crate::machine::{BootError, Driver, Ended, Granularity, Machine, Snapshot, boot};
use crate::scenario::Plan;

/// Everything a run depends on besides its schedule.
#[derive(Clone)]
pub struct Case {
    /// What is run.
    pub plan: Plan,
    /// The drivers, in the order of the plan.
    pub drivers: Vec<Driver>,
}

impl Case {
    /// A machine that has booted and is ready for the workload. `recording`: see [`boot`].
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn boot(&self, granularity: Granularity, recording: bool) -> Result<Machine, BootError> {
        boot(&self.plan, &self.drivers, granularity, recording)
    }
}

/// A booted machine that is run again and again from the same moment.
pub struct Campaign {
    machine: Machine,
    booted: Snapshot,
}

impl Campaign {
    /// Boots the case.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn new(case: &Case, granularity: Granularity) -> Result<Campaign, BootError> {
        let mut machine = case.boot(granularity, false)?;
        let booted = machine.snapshot();
        Ok(Campaign { machine, booted })
    }

    /// Runs one schedule.
    pub fn run(&mut self, strategy: Box<dyn Strategy>) -> Ended {
        self.machine.restore(&self.booted);
        self.machine.run(strategy)
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
    seeds.clone().for_each(|seed| work.send(seed).expect("the receiver is here"));
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
                    let ended = campaign.run((strategy.make)(seed));
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
