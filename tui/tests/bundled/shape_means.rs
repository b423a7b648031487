//! Strategies on the shapes: the mean number of schedules to the first bug on the machine, against
//! the published one and that of the reference model. Needs `cargo xtask drivers`.

use emu::campaign::{Campaign, Case};
use emu::choice::Scope;
use emu::choice::strategy::{Hints, StrategyKind, find};
use emu::search;
use emu::stop::Stop;

use crate::reference::drive::{self, seed};
use crate::reference::list::{account, bluetooth, deadlock01, reorder, stack, twostage, wronglock};
use crate::reference::model::{Program, Shape, Variation, Variation::*};
use crate::still::scope;
use crate::support::{Setting, case};

/// Experiments that a mean is taken of; the published ones are of as many.
const EXPERIMENTS: u64 = 200;
/// The model's, so that its means are the firm ones.
const OF_THE_MODEL: u64 = 1000;
/// Schedules of an experiment.
const CAP: u64 = 10_000;

/// A shape on the machine, and what is known of it.
struct Row {
    name: &'static str,
    settings: &'static [Setting<'static>],
    /// The same in the model, and the points that the machine has more or less.
    model: (fn() -> Shape, &'static [Variation]),
    /// The k of the published means.
    choices: u64,
    /// Published means of random, pct2, pct3 and pos, of one engine or of two.
    means: [&'static [f64]; 4],
}

const STRATEGIES: [&str; 4] = ["random", "pct2", "pct3", "pos"];

/// Why the points differ where they do: see the counts.
const ROWS: &[Row] = &[
    Row {
        name: "account",
        settings: &[],
        model: (account, &[]),
        choices: 9,
        means: [&[6.6, 8.2], &[4.8], &[4.9, 5.3], &[6.6]],
    },
    Row {
        name: "deadlock",
        settings: &[],
        model: (deadlock01, &[]),
        choices: 12,
        means: [&[3.6, 2.7], &[9.3, 10.3], &[5.8, 5.7], &[4.2]],
    },
    Row {
        name: "bluetooth",
        settings: &[],
        model: (bluetooth, &[NoUnlock]),
        choices: 15,
        means: [&[16.6, 15.1], &[14.3, 26.2], &[25.8, 23.3], &[12.8]],
    },
    Row {
        name: "twostage",
        settings: &[],
        model: (|| twostage(1), &[NoRacy]),
        choices: 13,
        means: [&[16.8, 13.6], &[6.4, 8.9], &[6.5, 6.4], &[7.9]],
    },
    Row {
        name: "wronglock",
        settings: &[],
        model: (|| wronglock(3), &[]),
        choices: 26,
        means: [&[3.4, 3.2], &[16.1, 18.8], &[8.7, 8.3], &[3.4]],
    },
    Row {
        name: "stack",
        settings: &[],
        model: (|| stack(10), &[]),
        choices: 44,
        means: [&[1.8, 1.6], &[3.2, 3.8], &[3.1, 3.0], &[1.8]],
    },
    Row {
        name: "reorder",
        settings: &[],
        model: (|| reorder(2, 1), &[]),
        choices: 14,
        means: [&[37.6, 38.8], &[35.1, 35.4], &[18.0, 20.6], &[14.6]],
    },
    Row {
        name: "reorder",
        settings: &[("setters", "3"), ("cpus", "5")],
        model: (|| reorder(3, 1), &[]),
        choices: 18,
        means: [&[103.0, 119.0], &[81.0, 86.6], &[47.0, 47.7], &[33.6]],
    },
];

/// The mean over experiments of the number of schedules to the first that does not complete. Half of
/// them are made beside the others.
fn mean(case: &Case, scope: &Scope, kind: &StrategyKind, hints: &Hints) -> f64 {
    let half = |which: u64| {
        let campaign = Campaign::new(case, scope.clone());
        let mut campaign = campaign.unwrap_or_else(|e| panic!("{e}"));
        let mut stops = |seed| campaign.run((kind.make)(seed, hints)).stop != Stop::Completed;
        let experiments = (0..EXPERIMENTS).filter(|e| e % 2 == which);
        let first = experiments.map(|e| (1..=CAP).find(|&i| stops(seed(e, i))));
        first.map(|at| at.expect("it is found")).sum::<u64>()
    };
    let sum = std::thread::scope(|threads| {
        let even = threads.spawn(|| half(0));
        half(1) + even.join().expect("it does not panic")
    });
    sum as f64 / EXPERIMENTS as f64
}

/// Whether two means agree.
fn near(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 0.2 * theirs
}

#[test]
fn means_agree_with_the_published_ones_and_with_the_model() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let case = case(row.name, "amd64", row.settings);
        let scope = scope(&case);
        let program = Program::new(&row.model.0(), row.model.1);
        let hints = Hints {
            choices: row.choices,
            ..Hints::default()
        };
        for (strategy, published) in STRATEGIES.into_iter().zip(row.means) {
            let kind = find(strategy).expect("it is in the list");
            let ours = mean(&case, &scope, kind, &hints);
            let model = drive::search(&program, kind, &hints, OF_THE_MODEL, CAP).mean();
            let line = format!(
                "{} {:?} {strategy}: {ours:.1}, model {model:.1}, published {published:?}",
                row.name, row.settings
            );
            let as_published = published.iter().any(|&theirs| near(ours, theirs));
            // Where the points are the same, so must be the means.
            if !near(ours, model) || row.model.1.is_empty() && !as_published {
                wrong.push(line);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A bug of depth 2 is found by a run with a probability of at least 1 / (n k), of n threads and k
/// choices: as many as a few runs tell.
#[test]
fn pct_keeps_its_bound_on_the_machine() {
    let kind = find("pct2").expect("it is in the list");
    for name in ["bluetooth", "deadlock", "twostage", "wronglock"] {
        for profile in ["amd64", "i386", "arm64"] {
            let case = case(name, profile, &[]);
            let scope = scope(&case);
            let mut campaign =
                Campaign::new(&case, scope.clone()).unwrap_or_else(|e| panic!("{e}"));
            let hints = search::profile(&mut campaign);
            let bound = hints.steps.len() as u64 * hints.choices;
            let mean = mean(&case, &scope, kind, &hints);
            assert!(
                mean <= bound as f64,
                "{name} on {profile}: {mean} > {bound}"
            );
        }
    }
}
