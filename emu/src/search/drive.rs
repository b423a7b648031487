//! Runs a search on worker threads. What comes out does not depend on how many there are.

use std::collections::{BTreeMap, VecDeque};

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::survival::survives;
use super::{Judging, Outcome, Search, Signature, Tally, Task, signature};
use crate::campaign::{Campaign, Case};
use crate::choice::Scope;
use crate::machine::BootError;
use crate::scenario::StopKind;
use crate::stop::{Access, Stop};

/// How many tasks are handed out together, at least and at most. A search chooses what is run next
/// between batches, so their size is part of what its results mean: it follows from the results so
/// far and not from the number of workers.
const BATCH: std::ops::RangeInclusive<u64> = 64..=512;

/// Instructions and choices that the runs of a batch have together, if it can be: with short runs the
/// end of a batch, where workers wait for one another, would come too often.
const BATCH_COST: u64 = 2_000_000;

/// Instructions that a choice costs as much as.
const CHOICE_COST: u64 = 100;

/// The size of the next batch. What a search learns is of use early, so it is no more than a part of
/// what has been run.
fn batch(tally: &Tally) -> usize {
    let all = tally.instructions + CHOICE_COST * tally.choices;
    let each = all / tally.schedules.max(1);
    let most = (BATCH_COST / each.max(1)).min(tally.schedules / 4);
    most.clamp(*BATCH.start(), *BATCH.end()) as usize
}

/// When a search is over although its space is not exhausted.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After so many schedules, those of an earlier part of the search included.
    pub schedules: u64,
    /// After the first run that does not complete.
    pub until_first: bool,
}

/// A search between two batches.
pub struct Progress<'a> {
    /// Its results so far.
    pub tally: &'a Tally,
    /// The search.
    pub search: &'a dyn Search,
    /// A limit is less than a batch away. A batch that is cut short is not one that the search
    /// without the limit would have had, so whoever wants to go on later, and to come to the same
    /// results, goes on from here.
    pub ending: bool,
}

/// Runs `search` on `jobs` threads until it is exhausted, a limit is reached or `go_on`, which is
/// asked before each batch, says no. Results are added to `tally`. True if the last batch was a whole
/// one, so that the search can go on as if it had not ended here.
///
/// # Errors
/// The case does not boot.
pub fn drive(
    case: &Case,
    scope: &Scope,
    search: &mut dyn Search,
    tally: &mut Tally,
    limits: Limits,
    jobs: usize,
    mut go_on: impl FnMut(&Progress<'_>) -> bool,
) -> Result<bool, BootError> {
    // Booting is the same everywhere, so one machine tells whether it works.
    let judging = search.judging();
    let mut own = Worker::boot(case, scope, judging)?;
    let (work, queue) = unbounded::<(usize, Task)>();
    let (report, results) = unbounded::<Done>();
    let whole = crossbeam::scope(|threads| {
        for _ in 1..jobs.max(1) {
            let (queue, report) = (queue.clone(), report.clone());
            threads.spawn(move |_| serve(case, scope, judging, &queue, &report));
        }
        // With the queue's only sender gone the workers end.
        let work = work;
        let mut whole = true;
        loop {
            let left = limits.schedules.saturating_sub(tally.schedules);
            let full = batch(tally);
            let most = full.min(usize::try_from(left).unwrap_or(full));
            let ending = most < full;
            let progress = Progress {
                tally,
                search,
                ending,
            };
            if whole && !go_on(&progress) {
                return true;
            }
            let tasks = search.next(most);
            if tasks.is_empty() {
                return whole;
            }
            let n = tasks.len();
            whole = n < most || !ending;
            for numbered in tasks.into_iter().enumerate() {
                work.send(numbered).expect("the queue is here");
            }
            // What has not been learnt from yet, by the place in the batch behind what has.
            let mut done: VecDeque<Option<Done>> = (0..n).map(|_| None).collect();
            let mut learnt = 0;
            while !done.is_empty() {
                // This thread works like the others while there is something to do.
                let one = results.try_recv().ok();
                let one = one.unwrap_or_else(|| match queue.try_recv() {
                    Ok((at, task)) => own.perform(at, task),
                    Err(_) => results.recv().expect("a worker has it"),
                });
                let at = one.at - learnt;
                done[at] = Some(one);
                while let Some(mut one) = done.front_mut().and_then(Option::take) {
                    done.pop_front();
                    learnt += 1;
                    if !search.learn(&mut one.outcome) {
                        continue;
                    }
                    tally.count(one.strategy, one.seed, &one.outcome, own.booted);
                    if limits.until_first && !one.outcome.signature.is_completed() {
                        queue.try_iter().for_each(drop);
                        return false;
                    }
                }
            }
        }
    })
    .expect("a worker panicked");
    Ok(whole)
}

/// A task that was run.
struct Done {
    /// Its place in the batch.
    at: usize,
    strategy: &'static str,
    seed: Option<u64>,
    outcome: Outcome,
}

fn serve(
    case: &Case,
    scope: &Scope,
    judging: Judging,
    queue: &Receiver<(usize, Task)>,
    report: &Sender<Done>,
) {
    let mut worker = None;
    let boot = || Worker::boot(case, scope, judging).expect("it has booted before");
    for (i, task) in queue {
        let worker = worker.get_or_insert_with(boot);
        if report.send(worker.perform(i, task)).is_err() {
            return;
        }
    }
}

/// A machine, and the names of the places at which its runs have stopped.
struct Worker {
    campaign: Campaign,
    judging: Judging,
    /// Instructions of the boot.
    booted: u64,
    known: BTreeMap<(u32, u64, Option<Access>), Signature>,
}

impl Worker {
    fn boot(case: &Case, scope: &Scope, judging: Judging) -> Result<Worker, BootError> {
        let campaign = Campaign::watching(case, scope.clone(), judging.watch())?;
        Ok(Worker {
            booted: campaign.machine().retired(),
            campaign,
            judging,
            known: BTreeMap::new(),
        })
    }

    fn perform(&mut self, at: usize, task: Task) -> Done {
        let (ended, answers) = self.campaign.run_and_return(task.answers);
        let machine = self.campaign.machine();
        let mut signature = match &ended.stop {
            // The same bugcheck at the same place is what comes again and again.
            Stop::Bugcheck(b) => {
                let key = (b.code, b.pc, b.access.map(|(_, access)| access));
                let new = || signature(&ended.stop, machine).0;
                self.known.entry(key).or_insert_with(new).clone()
            }
            other => signature(other, machine).0,
        };
        let expect = &machine.setup.plan.expect;
        let mut problem = expect.judge(&ended.stop, signature.module.as_deref()).err();
        let survives = survives(&ended.stop, machine);
        if self.judging.survival && expect.stop == StopKind::Completed && survives {
            problem = None;
        }
        if let Some(finding) = self.judging.finding(&self.campaign, &ended) {
            problem.get_or_insert_with(|| format!("{}: {}", finding.oracle, finding.what));
            if survives {
                signature = Signature::of_finding(&finding, machine);
            }
        }
        Done {
            at,
            strategy: task.strategy,
            seed: task.seed,
            outcome: Outcome {
                ended,
                signature,
                problem,
                answers,
            },
        }
    }
}
