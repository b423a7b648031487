//! Schedules per second of whole searches: the shapes beside Shuttle, one worker and two, and both
//! founding cases by strategy.
//!
//! Whatever is compared takes turns, and a ratio is the median of the ratios within a turn.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use emu::campaign::{Campaign, Case};
use emu::choice::strategy::{self, Hints};
use emu::choice::{Scope, World};
use emu::machine::Granularity;
use emu::search::{
    Bound, Dfs, Dpor, Limits, Outcome, Portfolio, Progress, Sampler, Search, Tally, drive, profile,
    racy, signature,
};

use crate::port;
use crate::stats::{median, on_a_core};
use crate::support::case;

const SHAPES: [&str; 3] = ["bluetooth", "deadlock", "reorder"];
const CASES: [(&str, &str); 2] = [("kb931322", "amd64"), ("q252664", "i386")];
/// What the portfolio draws from, as `irqlab explore` has it.
const DRAWN: [&str; 5] = ["random", "pct2", "pct3", "pos", "surw"];

const ROUNDS: u64 = 9;
/// Schedules of a shape in a round.
const SHORT: u64 = 2_000;
/// Schedules of a founding case in a round; its rounds are fewer.
const LONG: u64 = 48;
const LONG_ROUNDS: u64 = 5;
/// Schedules that two workers share in a round, and tasks that are handed out together.
const SHARED: u64 = 16_000;
const BATCH: usize = 64;
/// Steps of arithmetic in a round: some tenths of a second.
const SPINS: u64 = 200_000_000;

type Make = Box<dyn Fn(u64) -> Box<dyn Search>>;

pub fn print() {
    println!("Searches, schedules per second, one worker; medians of {ROUNDS} rounds");
    println!("  shapes: sync, --hold world --races, amd64; Shuttle: a port of bluetooth, random;");
    println!("  `own`: per second on a core, what others took left out;");
    println!("  `runs`: a digest of what the runs did");
    println!();
    shapes();
    println!();
    workers();
    println!();
    founding();
    println!();
}

/// What a row is made of: schedules and seconds of each round, by the clock and on a core.
#[derive(Default)]
struct Row {
    wall: Vec<f64>,
    own: Vec<f64>,
    digest: u64,
}

impl Row {
    fn add(&mut self, done: &Done) {
        self.wall.push(done.wall());
        self.own
            .push(done.schedules as f64 / done.own.as_secs_f64());
        self.digest = self.digest.rotate_left(7) ^ done.digest;
    }

    fn print(&self, what: &str, strategy: &str) {
        let (wall, own) = (median(&self.wall), median(&self.own));
        let digest = self.digest;
        println!("  {what:18} {strategy:10} {wall:>11.0} {own:>11.0} {digest:>17x}");
    }
}

fn head() {
    println!(
        "  {:18} {:10} {:>11} {:>11} {:>17}",
        "case", "strategy", "schedules/s", "own", "runs"
    );
}

fn shapes() {
    head();
    let mut machines: Vec<Campaign> = SHAPES.iter().map(|shape| boot(shape).1).collect();
    let searches: [(&str, Make); 3] = [
        ("random", sampler("random", Hints::default())),
        ("dfs", Box::new(|_| Box::new(Dfs::new(Bound::NONE)))),
        ("dpor", Box::new(|_| Box::new(Dpor::new()))),
    ];
    let mut rows: Vec<Row> = (0..SHAPES.len() * searches.len())
        .map(|_| Row::default())
        .collect();
    let mut shuttle = Row::default();
    let (mut ratios, mut own) = (Vec::new(), Vec::new());
    let (mut failures, mut seen) = (0, 0);
    for round in 0..ROUNDS {
        let mut row = rows.iter_mut();
        for (_, make) in &searches {
            for (shape, machine) in SHAPES.iter().zip(&mut machines) {
                let row = row.next().expect("a row for each");
                row.add(&search(machine, make, round, SHORT));
                if (*shape, row.wall.len()) != ("bluetooth", shuttle.wall.len() + 1) {
                    continue;
                }
                // Right behind the same shape here.
                let begin = on_a_core();
                let (time, failed) = port::run(round, SHORT as usize);
                failures += failed;
                seen += SHORT;
                shuttle.add(&Done {
                    schedules: SHORT,
                    time,
                    own: on_a_core() - begin,
                    digest: failed,
                });
                ratios.push(shuttle.wall[round as usize] / row.wall[round as usize]);
                own.push(shuttle.own[round as usize] / row.own[round as usize]);
            }
        }
    }
    let mut row = rows.iter();
    for (name, _) in &searches {
        for shape in SHAPES {
            row.next().expect("a row for each").print(shape, name);
        }
    }
    shuttle.print("bluetooth", "Shuttle");
    let (ratio, own) = (median(&ratios), median(&own));
    println!("  Shuttle / random on bluetooth: {ratio:.2} by the clock, {own:.2} on a core");
    println!("  of Shuttle's schedules {failures} of {seen} fail");
}

/// A shape, booted as `--hold world --races` does.
fn boot(shape: &str) -> (Case, Campaign, Scope) {
    let case = case(shape, "amd64", &[]);
    let scope = Scope {
        world: World::HELD,
        racy: racy(&case, World::HELD).unwrap_or_else(|e| panic!("{e}")),
        ..Granularity::Sync.into()
    };
    let campaign = Campaign::new(&case, scope.clone()).unwrap_or_else(|e| panic!("{e}"));
    (case, campaign, scope)
}

/// Searches that draw seeds, other ones in every round.
fn sampler(name: &str, hints: Hints) -> Make {
    let kind = strategy::find(name).expect("it is in the list");
    Box::new(move |round| {
        let first = 1 + round * SHORT;
        Box::new(Sampler::new(kind, hints.clone(), first, u64::MAX - 1))
    })
}

/// What a round did.
struct Done {
    schedules: u64,
    time: Duration,
    /// Time on a core.
    own: Duration,
    digest: u64,
}

impl Done {
    fn wall(&self) -> f64 {
        self.schedules as f64 / self.time.as_secs_f64()
    }
}

/// Runs so many schedules on a machine that has booted, from new searches when one is exhausted.
fn search(campaign: &mut Campaign, make: &Make, round: u64, most: u64) -> Done {
    let (begin, own) = (Instant::now(), on_a_core());
    let (mut schedules, mut digest) = (0, 0u64);
    while schedules < most {
        let mut search = make(round);
        let mut tally = Tally::default();
        while schedules < most {
            let tasks = search.next(BATCH.min((most - schedules) as usize));
            if tasks.is_empty() {
                break;
            }
            for task in tasks {
                let (strategy, seed) = (task.strategy, task.seed);
                let (ended, answers) = campaign.run_and_return(task.answers);
                let (signature, _) = signature(&ended.stop, campaign.machine());
                for part in [ended.trace_hash, ended.choices, ended.instructions] {
                    digest = digest.rotate_left(7) ^ part;
                }
                let mut outcome = Outcome {
                    ended,
                    signature,
                    problem: None,
                    answers,
                };
                if search.learn(&mut outcome) {
                    tally.count(strategy, seed, &outcome, 0);
                }
                schedules += 1;
            }
        }
    }
    Done {
        schedules,
        time: begin.elapsed(),
        own: on_a_core() - own,
        digest,
    }
}

/// One worker and two, as `irqlab explore --jobs` runs them, in turns.
fn workers() {
    println!("  one worker and two, {ROUNDS} rounds of {SHARED} schedules of bluetooth, random");
    let (case, _, scope) = boot("bluetooth");
    let (mut rows, mut cores) = ([Row::default(), Row::default()], [vec![], vec![]]);
    let (mut ratios, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (jobs, (row, cores)) in (1..).zip(rows.iter_mut().zip(&mut cores)) {
            let done = driven(&case, &scope, jobs);
            cores.push(done.own.as_secs_f64() / done.time.as_secs_f64());
            row.add(&done);
        }
        let last = |row: &Row| (row.wall[row.wall.len() - 1], row.own[row.own.len() - 1]);
        let (one, two) = (last(&rows[0]), last(&rows[1]));
        ratios.push(two.0 / one.0);
        costs.push(one.1 / two.1);
    }
    for (name, (row, cores)) in ["one", "two"].iter().zip(rows.iter().zip(&cores)) {
        let (wall, cores) = (median(&row.wall), median(cores));
        println!("  {name}: {wall:.0} schedules/s, with {cores:.2} cores");
    }
    println!("  two / one: {:.2}", median(&ratios));
    println!(
        "  time on a core that a schedule takes, two / one: {:.2}",
        median(&costs)
    );
    apart(&case, &scope);
}

/// What two threads that share nothing get out of the machine, beside one: no search can have more.
fn apart(case: &Case, scope: &Scope) {
    let spin = || {
        let mut x = 88_172_645_463_325_252u64;
        move || {
            for _ in 0..SPINS {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
            }
            std::hint::black_box(x);
        }
    };
    let runs = || {
        let mut campaign = Campaign::new(case, scope.clone()).unwrap_or_else(|e| panic!("{e}"));
        let kind = strategy::find("random").expect("it is in the list");
        move || {
            for seed in 0..SHARED / 2 {
                campaign.run((kind.make)(seed, &Hints::default()));
            }
        }
    };
    println!("  two threads / one: {:.2} in arithmetic", scaling(&spin));
    println!(
        "  two threads / one: {:.2} in schedules of machines that share nothing",
        scaling(&runs)
    );
}

/// How much more two threads do in the same time than one; the median of the rounds. `make` makes
/// the work of a thread, in that thread, before the time counts.
fn scaling<W: FnMut()>(make: &(impl Fn() -> W + Sync)) -> f64 {
    let time = |threads: usize| {
        let begin = Barrier::new(threads);
        let work = || {
            let mut work = make();
            work();
            begin.wait();
            let began = Instant::now();
            work();
            began.elapsed().as_secs_f64()
        };
        thread::scope(|scope| {
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let times = all
                .into_iter()
                .map(|t| t.join().expect("it does not panic"));
            times.fold(0.0, f64::max)
        })
    };
    let ratios: Vec<f64> = (0..ROUNDS).map(|_| 2.0 * time(1) / time(2)).collect();
    median(&ratios)
}

/// From the end of the first batch, when every machine has booted, to that of the last whole one.
fn driven(case: &Case, scope: &Scope, jobs: usize) -> Done {
    let mut search = sampler("random", Hints::default())(0);
    let mut tally = Tally::default();
    let limits = Limits {
        schedules: SHARED,
        until_first: false,
    };
    let now = |at: &Progress<'_>| (at.tally.schedules, Instant::now(), on_a_core());
    let (mut first, mut last) = (None, None);
    drive(case, scope, &mut *search, &mut tally, limits, jobs, |at| {
        // A worker boots with its first task. In the last call the workers are still there to be
        // counted.
        match first {
            None if at.tally.schedules > 0 => first = Some(now(at)),
            None => {}
            Some(_) => last = Some(now(at)),
        }
        true
    })
    .unwrap_or_else(|e| panic!("{e}"));
    let (first, last) = first.zip(last).expect("there is more than one batch");
    Done {
        schedules: last.0 - first.0,
        time: last.1 - first.1,
        own: last.2 - first.2,
        digest: 0,
    }
}

/// Both founding cases at `access`, by strategy.
fn founding() {
    println!("  access, {LONG_ROUNDS} rounds of {LONG} schedules");
    head();
    for (scenario, profile_name) in CASES {
        let case = case(scenario, profile_name, &[]);
        let mut campaign =
            Campaign::new(&case, Granularity::Access).unwrap_or_else(|e| panic!("{e}"));
        let hints = profile(&mut campaign);
        let mut searches: Vec<(&str, Make)> = DRAWN
            .iter()
            .map(|&name| (name, sampler(name, hints.clone())))
            .collect();
        searches.push(("portfolio", portfolio(&hints)));
        let mut rows: Vec<Row> = searches.iter().map(|_| Row::default()).collect();
        for round in 0..LONG_ROUNDS {
            for ((_, make), row) in searches.iter().zip(&mut rows) {
                row.add(&search(&mut campaign, make, round, LONG));
            }
        }
        for ((name, _), row) in searches.iter().zip(&rows) {
            row.print(&format!("{scenario} {profile_name}"), name);
        }
    }
}

fn portfolio(hints: &Hints) -> Make {
    let drawn: Vec<Make> = DRAWN
        .iter()
        .map(|name| sampler(name, hints.clone()))
        .collect();
    Box::new(move |round| {
        let mut members: Vec<Box<dyn Search>> = drawn.iter().map(|make| make(round)).collect();
        members.push(Box::new(Dfs::new(
            Bound::preemptions(2).and_arrivals(2).and_faults(2),
        )));
        Box::new(Portfolio::new(members))
    })
}
