//! A search that goes depth first starts its runs on the way of earlier ones: each must be what it is
//! from the end of the boot. Needs `cargo xtask drivers`.

use crate::support::{Setting, case};
use emu::campaign::Campaign;
use emu::choice::strategy::Replay;
use emu::choice::{Scope, World};
use emu::machine::{Ended, Granularity};
use emu::search::{Bound, Dfs, Follow, Outcome, Search, signature};

/// The runs of a bounded search: scenario, profile, settings, granularity, world, how many.
type Row = (
    &'static str,
    &'static str,
    &'static [Setting<'static>],
    Granularity,
    World,
    usize,
);

const ROWS: &[Row] = &[
    // Many moments on a way.
    (
        "q252664",
        "i386",
        &[("rounds", "1")],
        Granularity::Sync,
        World::PROMPT,
        700,
    ),
    ("kb931322", "amd64", &[], Granularity::Sync, World::OPEN, 80),
    // Ways through interlocked updates by exclusive loads and stores.
    (
        "q252664",
        "alpha",
        &[],
        Granularity::Access,
        World::OPEN,
        70,
    ),
    ("kb931322", "ia64", &[], Granularity::Sync, World::OPEN, 60),
];

fn facts(ended: &Ended) -> String {
    format!("{ended:?}")
}

#[test]
fn a_run_from_a_moment_on_its_way_is_the_run() {
    for &(scenario, profile, settings, granularity, world, most) in ROWS {
        let case = case(scenario, profile, settings);
        let scope = Scope {
            world,
            ..granularity.into()
        };
        let mut followed = Campaign::new(&case, scope.clone()).unwrap();
        let mut booted = Campaign::new(&case, scope).unwrap();
        let mut search = Dfs::new(Bound::preemptions(2).and_arrivals(2).and_faults(2));
        let (mut runs, mut started_late, mut batch) = (0, 0, 0);
        while runs < most {
            let mut tasks: Vec<_> = search.next(20).into_iter().enumerate().collect();
            if tasks.is_empty() {
                break;
            }
            // Workers that share a batch see it in pieces, and the next one is any other.
            batch += 1;
            if batch % 2 == 0 {
                let by = 7 % tasks.len();
                tasks.rotate_left(by);
            }
            let mut outcomes = Vec::new();
            for (at, task) in tasks {
                let moves = task.answers.follows().expect("it follows").clone();
                let (ended, answers) = followed.run_and_return(task.answers);
                let whole = booted.run(Box::new(Replay::new(moves.clone())));
                assert_eq!(
                    facts(&ended),
                    facts(&whole),
                    "{scenario} {profile} {granularity:?}: {moves:?}"
                );
                assert_eq!(
                    followed.machine().digest(),
                    booted.machine().digest(),
                    "{scenario} {profile} {granularity:?}: {moves:?}"
                );
                started_late += usize::from(followed.started_behind() > 0);
                let outcome = Outcome {
                    signature: signature(&ended.stop, followed.machine()).0,
                    ended,
                    problem: None,
                    answers,
                };
                let nodes = &outcome.answers.downcast_ref::<Follow>().unwrap().nodes;
                let last = moves.0.last().map_or(0, |&(number, _)| number);
                // What it learns begins behind its last move, wherever the run began.
                let first = nodes.first().map_or(last + 1, |node| node.number);
                assert!(first > last, "{first} {last}");
                outcomes.push((at, outcome));
                runs += 1;
            }
            outcomes.sort_by_key(|(at, _)| *at);
            for (_, mut outcome) in outcomes {
                search.learn(&mut outcome);
            }
        }
        assert!(
            started_late > runs / 4,
            "{scenario} {profile}: {started_late} of {runs} runs began late"
        );
    }
}
