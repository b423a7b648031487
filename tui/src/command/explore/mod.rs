//! `irqlab explore`: many schedules, grouped by how they end.

mod kept;
mod progress;
mod summary;
mod text;

pub(crate) use text::shrunk_to;

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

/// Schedules that are run unless the user says otherwise.
const SCHEDULES: u64 = 1000;
/// What the portfolio draws from, besides the searches that it always has.
const PORTFOLIO: &[&str] = &["random", "pct2", "pct3", "pos", "surw"];

pub(super) fn run(args: &ExploreArgs) -> Outcome<bool> {
    let session = Session::new(&args.case.scenario, args.selection(), args.case.openness())?;
    let chosen = Chosen::of(args)?;
    let mut search = chosen.search(&session)?;
    let mut tally = Tally::default();
    let mut kept = Kept::open(args.resume.as_deref(), &session, &chosen);
    kept.load(&mut *search, &mut tally)?;

    let until = args.time.map(|s| Instant::now() + Duration::from_secs(s));
    let limits = Limits {
        schedules: chosen.schedules,
        until_first: args.until_first,
    };
    let jobs = args.jobs.map(usize::from);
    let jobs = jobs.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let mut meter = Meter::new(chosen.schedules);
    let mut trouble = None;
    let found = tally.stops() > 0 && args.until_first;
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
    let shrink = !args.no_shrink;
    if shrink && tally.stops() > 0 {
        meter.say("shrinking what was found");
    }
    let summary = summary::summarise(&session, &chosen, &tally, coverage, shrink);
    meter.clear();
    let summary = summary?;
    match args.output.format {
        Format::Json => output::print_json(&summary)?,
        Format::Text => output::print(&text::text(&summary))?,
    }
    Ok(summary.expected)
}

/// What the user asked for.
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
