//! `irqlab explore`: many schedules, grouped by how they end.

mod kept;
mod progress;
pub(crate) mod summary;
pub(crate) mod text;

pub(crate) use text::shrunk_to;

use std::path::Path;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use emu::choice::strategy::{STRATEGIES, StrategyKind, find};
use emu::choice::{ChoiceKind, Kinds};
use emu::search::{self, Bound, Dfs, Dpor, Limits, Placement, Placing, Portfolio, Sampler};
use emu::search::{Search, Tally};

use crate::cli::{ExploreArgs, Format, Seeds};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::session::Session;
use kept::Kept;
use progress::Meter;
use summary::Summary;

/// Schedules that are run unless the user says otherwise.
const SCHEDULES: u64 = 1000;
/// What the portfolio draws from, besides the searches that it always has.
const PORTFOLIO: &[&str] = &["random", "pct2", "pct3", "pos", "surw"];

pub(super) fn run(args: &ExploreArgs) -> Outcome<bool> {
    let session = Session::new(&args.case.scenario, args.selection(), args.case.openness())?;
    let chosen = Chosen::of(args)?;
    let budget = Budget {
        seconds: args.time,
        until_first: args.until_first,
        jobs: args.jobs,
        resume: args.resume.as_deref(),
        shrink: !args.no_shrink,
    };
    let summary = search(&session, &chosen, &budget)?;
    match args.output.format {
        Format::Json => output::print_json(&summary)?,
        Format::Text => output::print(&text::text(&summary))?,
    }
    Ok(summary.expected)
}

/// How much a search may do, and with what.
pub(crate) struct Budget<'a> {
    /// No schedule begins after so many seconds.
    pub(crate) seconds: Option<u64>,
    /// It ends with the first schedule whose run does not complete.
    pub(crate) until_first: bool,
    /// Worker threads; one for each processor unless given.
    pub(crate) jobs: Option<u16>,
    /// The file that keeps its state.
    pub(crate) resume: Option<&'a Path>,
    /// The shortest form of what is found is looked for.
    pub(crate) shrink: bool,
}

/// Searches and says what it came to.
///
/// # Errors
/// The machine does not boot, the search does not fit the case, or its state cannot be kept.
pub(crate) fn search(session: &Session, chosen: &Chosen, budget: &Budget<'_>) -> Outcome<Summary> {
    let mut search = chosen.search(session)?;
    let mut tally = Tally::default();
    let mut kept = Kept::open(budget.resume, session, chosen);
    kept.load(&mut *search, &mut tally)?;

    let until = budget
        .seconds
        .map(|s| Instant::now() + Duration::from_secs(s));
    let limits = Limits {
        schedules: chosen.schedules,
        until_first: budget.until_first,
    };
    let jobs = budget.jobs.map(usize::from);
    let jobs = jobs.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let mut meter = Meter::new(chosen.schedules);
    let mut trouble = None;
    let found = tally.stops() > 0 && budget.until_first;
    if !found {
        let (case, scope) = (&session.loaded.case, &session.scope);
        let driven = search::drive(
            case,
            scope,
            &mut *search,
            &mut tally,
            limits,
            jobs,
            |progress| {
                meter.show(progress);
                if let Err(failure) = kept.note(progress) {
                    trouble = Some(failure);
                }
                trouble.is_none() && until.is_none_or(|until| Instant::now() < until)
            },
        );
        meter.clear();
        let whole = driven.map_err(|error| session.failure(&error))?;
        if let Some(failure) = trouble {
            return Err(failure);
        }
        // What a limit has cut short is run again by who goes on.
        if whole {
            kept.save(&*search, &tally)?;
        }
    }
    let coverage = search.coverage();
    if budget.shrink && tally.stops() > 0 {
        meter.say("shrinking what was found");
    }
    let summary = summary::summarise(session, chosen, &tally, coverage, budget.shrink);
    meter.clear();
    summary
}

/// What the user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// The name of the search.
    pub(crate) name: String,
    bound: Bound,
    /// It goes on only once from equivalent schedules.
    reduce: bool,
    placing: Placing,
    seeds: Seeds,
    /// Schedules after which it ends.
    pub(crate) schedules: u64,
}

impl Chosen {
    /// # Errors
    /// The arguments do not fit each other.
    pub(crate) fn of(args: &ExploreArgs) -> Outcome<Chosen> {
        let name = match (&args.strategy, args.exhaustive, args.seeds) {
            (Some(name), ..) => name.clone(),
            (None, true, _) => "dfs".into(),
            (None, false, Some(_)) => "random".into(),
            (None, false, None) if !args.faults.is_empty() => "placement".into(),
            (None, false, None) => "portfolio".into(),
        };
        let bound = Bound {
            preemptions: args.preemptions,
            arrivals: args.arrivals,
            faults: args.max_faults.filter(|_| name == "dfs"),
            delays: args.delays,
        };
        if bound != Bound::NONE && name != "dfs" {
            let bounds = "--preemptions, --arrivals and --delays";
            return Err(Failure::at(bounds, "only dfs has bounds").mend("add --exhaustive"));
        }
        if args.reduce && name != "dfs" {
            let problem = "only dfs is told what to leave out";
            return Err(Failure::at("--reduce", problem).mend("add --exhaustive"));
        }
        let kinds = args.placed();
        if !["dfs", "placement"].contains(&name.as_str()) {
            if args.max_faults.is_some() {
                let mend = "add --faults or --exhaustive";
                return Err(Failure::at("--max-faults", "nothing is placed").mend(mend));
            }
            if kinds != Kinds::NONE {
                let problem = format!("{name} places no faults");
                return Err(Failure::at("--faults", problem).mend("leave --strategy away"));
            }
        }
        if let Some(kind) = kinds
            .iter()
            .find(|&kind| !args.case.openness().world.leaves_open(kind))
        {
            let problem = format!("what is to be placed is no choice: {}", kind.name());
            let mend = "leave that kind out of --hold and --prompt";
            return Err(Failure::at("--faults", problem).mend(mend));
        }
        if name == "dfs" && kinds.iter().any(|kind| kind != ChoiceKind::Fault) {
            let problem = "dfs chooses what comes from outside anyway";
            return Err(
                Failure::at("--faults", problem).mend("leave interrupt, dpc and timer away")
            );
        }
        if args.seeds.is_some() && find(&name).is_none() {
            let problem = format!("{name} draws no schedules from seeds");
            return Err(Failure::at("--seeds", problem).mend("use --schedules"));
        }
        let schedules = match (args.seeds, args.schedules) {
            (Some(seeds), _) => seeds.last - seeds.first + 1,
            (None, Some(schedules)) => schedules,
            (None, None) if args.exhaustive || args.time.is_some() => u64::MAX,
            // The systematic part is done whatever it takes.
            (None, None) if name == "placement" => u64::MAX,
            (None, None) => SCHEDULES,
        };
        let placing = Placing {
            kinds,
            most: args.max_faults.unwrap_or(1),
            every: args.every_opportunity,
            oracles: args.each_stack,
            fill: match (args.schedules, args.time) {
                _ if args.each_stack => 0,
                (None, None) => SCHEDULES,
                _ => schedules,
            },
        };
        let all = Seeds {
            first: 1,
            last: u64::MAX - 1,
        };
        Ok(Chosen {
            name,
            bound,
            reduce: args.reduce,
            placing,
            seeds: args.seeds.unwrap_or(all),
            schedules,
        })
    }

    /// Schedules that a search by this name runs; of the seeds, if it is a strategy that draws
    /// schedules from them.
    pub(crate) fn named(name: &str, seeds: Option<Seeds>, schedules: u64) -> Chosen {
        let all = Seeds {
            first: 1,
            last: u64::MAX - 1,
        };
        Chosen {
            name: name.to_owned(),
            bound: Bound::NONE,
            reduce: false,
            placing: Placing {
                kinds: Kinds::NONE,
                most: 1,
                every: false,
                fill: 0,
                oracles: false,
            },
            seeds: seeds.unwrap_or(all),
            schedules: seeds.map_or(schedules, |s| s.last - s.first + 1),
        }
    }

    /// What is placed, if something is.
    fn placing_words(&self) -> String {
        let Placing {
            kinds, most, every, ..
        } = self.placing;
        if self.name != "placement" {
            return String::new();
        }
        let kinds: Vec<&str> = kinds.iter().map(ChoiceKind::name).collect();
        let which = if every { "every" } else { "each different" };
        format!("; {which} {}, at most {most}", kinds.join(", "))
    }

    /// The search, before its first schedule.
    ///
    /// # Errors
    /// It cannot be done with this case, or the machine does not boot.
    pub(crate) fn search(&self, session: &Session) -> Outcome<Box<dyn Search>> {
        let plan = &session.loaded.case.plan;
        Ok(match self.name.as_str() {
            "dfs" if !self.reduce => Box::new(Dfs::new(self.bound)),
            "dfs" if plan.faults.is_empty() => Box::new(Dfs::new(self.bound).with_classes()),
            "dfs" => {
                let problem = "it knows nothing of faults, which are choices inside a step";
                return Err(Failure::at("--reduce", problem).mend("leave it out"));
            }
            "dpor" if !plan.faults.is_empty() => {
                let problem = "dpor knows nothing of faults, which are choices inside a step";
                return Err(Failure::at("--strategy", problem).mend("use --strategy dfs"));
            }
            "dpor" => Box::new(Dpor::new()),
            "portfolio" => {
                let bound = Bound::preemptions(2).and_arrivals(2).and_faults(2);
                let mut members = self.samplers(session)?;
                members.push(Box::new(Dfs::new(bound)));
                Box::new(Portfolio::new(members))
            }
            "placement" => {
                let drawing = Portfolio::new(self.samplers(session)?);
                Box::new(Placement::new(self.placing, Box::new(drawing)))
            }
            name => {
                let kind = find(name).unwrap_or(&STRATEGIES[0]);
                self.sampler(session, kind)?
            }
        })
    }

    /// Of every strategy that the portfolio draws from.
    fn samplers(&self, session: &Session) -> Outcome<Vec<Box<dyn Search>>> {
        let drawn = PORTFOLIO.iter().filter_map(|name| find(name));
        drawn.map(|kind| self.sampler(session, kind)).collect()
    }

    fn sampler(&self, session: &Session, kind: &'static StrategyKind) -> Outcome<Box<dyn Search>> {
        let Seeds { first, last } = self.seeds;
        let hints = session.hints(kind)?;
        Ok(Box::new(Sampler::new(kind, hints, first, last)))
    }
}
