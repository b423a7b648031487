//! `irqlab explore`: many schedules, counted by how they end.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write, stderr};
use std::thread::available_parallelism;

use emu::campaign;
use emu::explain::MachineNames;
use emu::machine::{Ended, Machine, Watch};
use emu::report::{Place, codes};
use emu::scenario::{How, StopKind};
use emu::stop::Stop;
use serde::Serialize;

use crate::cli::{ExploreArgs, Format, Seeds};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::replay_line::Answers;
use crate::session::Session;
use crate::table;

pub(super) fn run(args: &ExploreArgs) -> Outcome<bool> {
    let session = Session::new(
        &args.case.scenario,
        args.case.selection(),
        args.case.granularity,
    )?;
    let seeds = args.seeds.unwrap_or(Seeds {
        first: 1,
        last: args.schedules,
    });
    let ended = explore(&session, args, seeds)?;
    let case = &session.loaded.case;
    let machine = case
        .boot(session.granularity, Watch::Points)
        .map_err(|error| session.failure(&error))?;
    let summary = summarise(&session, args.strategy.0.name, &machine, &ended);
    match args.output.format {
        Format::Json => output::print_json(&summary)?,
        Format::Text => output::print(&text(&summary))?,
    }
    Ok(summary.expected)
}

/// Runs the seeds; the results are in their order and do not depend on the number of workers.
fn explore(session: &Session, args: &ExploreArgs, seeds: Seeds) -> Outcome<Vec<(u64, Ended)>> {
    let jobs = args.jobs.map(usize::from);
    let jobs = jobs.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let mut progress = Progress::new(seeds);
    let mut until = Until::new(seeds.first);
    let results = campaign::seeds(
        &session.loaded.case,
        session.granularity,
        args.strategy.0,
        seeds.first..seeds.last + 1,
        jobs,
        |seed, ended| {
            progress.step();
            !args.until_first || until.go_on(seed, ended.stop != Stop::Completed)
        },
    );
    progress.clear();
    let results = results.map_err(|error| session.failure(&error))?;
    let last = until.first.unwrap_or(seeds.last);
    let results = (seeds.first..=last).zip(results);
    results
        .map(|(seed, ended)| match ended {
            Some(ended) => Ok((seed, ended)),
            None => Err(Failure::new(format!(
                "seed {seed} was not run: a worker ended early"
            ))),
        })
        .collect()
}

/// Decides when a search for the first stop is over: when no smaller seed can still stop.
struct Until {
    /// The smallest seed that is not done.
    open: u64,
    /// Larger seeds that are done.
    done: BTreeSet<u64>,
    /// The smallest seed known to stop.
    first: Option<u64>,
}

impl Until {
    fn new(first_seed: u64) -> Until {
        Until {
            open: first_seed,
            done: BTreeSet::new(),
            first: None,
        }
    }

    fn go_on(&mut self, seed: u64, stopped: bool) -> bool {
        if stopped {
            self.first = Some(self.first.map_or(seed, |first| first.min(seed)));
        }
        self.done.insert(seed);
        while self.done.remove(&self.open) {
            self.open += 1;
        }
        self.first.is_none_or(|first| self.open <= first)
    }
}

/// A counter on standard error, if that is a terminal.
struct Progress {
    done: u64,
    total: u64,
    shown: bool,
}

impl Progress {
    fn new(seeds: Seeds) -> Progress {
        let total = seeds.last - seeds.first + 1;
        Progress {
            done: 0,
            total,
            shown: stderr().is_terminal(),
        }
    }

    fn step(&mut self) {
        self.done += 1;
        if self.shown {
            let _ = write!(stderr(), "\r{} of {} schedules", self.done, self.total);
        }
    }

    fn clear(&self) {
        if self.shown && self.done > 0 {
            let _ = write!(stderr(), "\r{:40}\r", "");
        }
    }
}

#[derive(Serialize)]
struct Summary {
    scenario: String,
    profile: &'static str,
    personality: &'static str,
    cpus: u8,
    granularity: &'static str,
    strategy: &'static str,
    schedules: u64,
    choices: u64,
    instructions: u64,
    /// Whether every run ended as the scenario expects, and the expected stop was among them.
    expected: bool,
    /// What is not as expected.
    problems: Vec<String>,
    ends: Vec<End>,
}

/// All runs that ended alike.
#[derive(Serialize)]
struct End {
    kind: &'static str,
    code: Option<String>,
    name: Option<&'static str>,
    place: Option<Place>,
    what: String,
    count: u64,
    expected: bool,
    first_seed: u64,
    choices: u64,
    replay: String,
}

/// What makes two ends the same: the kind of stop, the bugcheck code, and what happened where.
type Signature = (&'static str, u32, String);

fn summarise(
    session: &Session,
    strategy: &'static str,
    machine: &Machine,
    ended: &[(u64, Ended)],
) -> Summary {
    let plan = &session.loaded.case.plan;
    let names = MachineNames::new(machine);
    let mut ends: BTreeMap<Signature, End> = BTreeMap::new();
    let mut problems = Vec::new();
    for (seed, run) in ended {
        let kind = StopKind::of(&run.stop);
        let (code, place, what) = signature(&run.stop, &names);
        let module = place.as_ref().and_then(|p| p.module.clone());
        let verdict = plan.expect.judge(&run.stop, module.as_deref());
        let key = (kind.name(), code.unwrap_or(0), what.clone());
        let end = ends.entry(key).or_insert_with(|| {
            if let Err(problem) = &verdict {
                problems.push(format!("seed {seed}: {problem}"));
            }
            End {
                kind: kind.name(),
                code: code.map(|code| format!("0x{code:08X}")),
                name: code.and_then(codes::name),
                place,
                what,
                count: 0,
                expected: verdict.is_ok(),
                first_seed: *seed,
                choices: run.choices,
                replay: session.replay_line(Answers::Strategy {
                    name: strategy,
                    seed: *seed,
                }),
            }
        });
        end.count += 1;
    }
    let seen = ended
        .iter()
        .any(|(_, run)| StopKind::of(&run.stop) == plan.expect.stop);
    if plan.expect.how == How::Possible && !seen {
        problems.push(format!(
            "expected {}, but it was in none of the schedules",
            plan.expect
        ));
    }
    let mut ends: Vec<End> = ends.into_values().collect();
    ends.sort_by_key(|end| (std::cmp::Reverse(end.count), end.first_seed));
    Summary {
        scenario: plan.scenario.clone(),
        profile: plan.profile.name(),
        personality: plan.personality.name(),
        cpus: plan.cpus,
        granularity: session.granularity.name(),
        strategy,
        schedules: ended.len() as u64,
        choices: ended.iter().map(|(_, run)| run.choices).sum(),
        instructions: ended.iter().map(|(_, run)| run.instructions).sum(),
        expected: problems.is_empty(),
        problems,
        ends,
    }
}

/// Bugcheck code, place and words of a stop.
fn signature(stop: &Stop, names: &MachineNames<'_>) -> (Option<u32>, Option<Place>, String) {
    let at = |pc: u64| names.resolve(pc);
    let function = |place: &Place| {
        let module = place.module.clone().unwrap_or_else(|| "?".into());
        match &place.function {
            Some(function) => format!("{module}!{function}"),
            None => format!("{module} {:#x}", place.pc),
        }
    };
    match stop {
        Stop::Completed => (None, None, "completed".into()),
        Stop::Bugcheck(bugcheck) => {
            let place = at(bugcheck.pc);
            let what = format!("STOP 0x{:08X} in {}", bugcheck.code, function(&place));
            (Some(bugcheck.code), Some(place), what)
        }
        Stop::Deadlock { waits } => {
            let kinds: BTreeSet<String> = waits.iter().map(|wait| names.wait(wait)).collect();
            let kinds: Vec<String> = kinds.into_iter().collect();
            let plural = if waits.len() == 1 { "" } else { "s" };
            let what = format!(
                "deadlock of {} wait{plural} ({})",
                waits.len(),
                kinds.join(", ")
            );
            (None, None, what)
        }
        Stop::Unimplemented { name, caller, .. } => {
            let place = at(*caller);
            let what = format!("not modelled: {name} in {}", function(&place));
            (None, Some(place), what)
        }
        Stop::Request {
            thread,
            step,
            status,
            ..
        } => (
            None,
            None,
            format!("step {} of {thread} failed with 0x{status:08X}", step + 1),
        ),
        Stop::Limit { limit, value, pc } => {
            let place = at(*pc);
            let what = format!("limit: {limit:?} {value} in {}", function(&place));
            (None, Some(place), what)
        }
    }
}

fn text(summary: &Summary) -> String {
    let s = summary;
    let plural = if s.cpus == 1 { "" } else { "s" };
    let mut text = format!(
        "{} on {} ({}), {} processor{plural}, {} strategy, {} granularity\n\
         {} schedules, {} choices, {} instructions\n\n",
        s.scenario,
        s.profile,
        s.personality,
        s.cpus,
        s.strategy,
        s.granularity,
        s.schedules,
        table::thousands(s.choices),
        table::thousands(s.instructions),
    );
    for end in &s.ends {
        let expected = if end.expected {
            "as expected"
        } else {
            "NOT EXPECTED"
        };
        text += &format!(
            "{:>6} of {}  {}  ({expected})\n",
            end.count, s.schedules, end.what
        );
        if let Some(place) = end.place.as_ref().and_then(Place::file_line) {
            text += &format!("        at {place}\n");
        }
        text += &format!("        first: {}\n", end.replay);
    }
    text.push('\n');
    match s.problems.as_slice() {
        [] => text += "as the scenario expects\n",
        problems => {
            text += "NOT what the scenario expects:\n";
            problems
                .iter()
                .for_each(|problem| text += &format!("  {problem}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_ends_when_no_smaller_seed_can_stop() {
        let mut until = Until::new(1);
        assert!(until.go_on(2, false));
        assert!(until.go_on(4, true), "1 and 3 are still running");
        assert!(until.go_on(1, false), "3 is still running");
        assert!(!until.go_on(3, true));
        assert_eq!(until.first, Some(3));
    }
}
