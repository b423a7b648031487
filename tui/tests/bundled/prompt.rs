//! The founding cases with an outside world that comes as soon as it can. Needs `cargo xtask
//! drivers`.

use crate::support::{CASES, Setting, case};
use emu::campaign::Campaign;
use emu::choice::strategy::{Hints, Quiet, Replay, find};
use emu::choice::{Action, Choice, ChoiceKind, Moves, Scope, Strategy, View, World};
use emu::machine::{Granularity, Watch};
use emu::search::racy;
use emu::stop::Stop;

/// Short runs: the defects need no more.
fn short(scenario: &str) -> Setting<'static> {
    match scenario {
        "q252664" => ("rounds", "1"),
        _ => ("questions", "2"),
    }
}

fn prompt(case: &emu::campaign::Case, granularity: Granularity) -> Scope {
    Scope {
        granularity,
        world: World::PROMPT,
        racy: match granularity {
            Granularity::Sync => racy(case, World::PROMPT).unwrap_or_else(|e| panic!("{e}")),
            _ => Default::default(),
        },
    }
}

/// Notes the kinds of what it was asked; takes option 0.
#[derive(Default)]
struct Asked(Vec<ChoiceKind>, bool);

impl Strategy for Asked {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        self.0.extend(choice.options.iter().map(|o| o.kind()));
        0
    }

    fn quiet(&mut self, _: &Choice<'_>) -> Quiet {
        Quiet::Ask
    }

    fn observes(&self) -> bool {
        true
    }

    fn observe(&mut self, _: &dyn View, action: Action) {
        self.1 |= matches!(action, Action::Packet { .. });
    }
}

/// Only cores are choices; the packets come all the same; and a run is the same whether somebody
/// looks at every step or nobody does.
#[test]
fn only_cores_are_choices() {
    for (name, profile) in CASES {
        let case = case(name, profile, &[short(name), ("driver", "fixed")]);
        for granularity in [Granularity::Sync, Granularity::Access] {
            let scope = prompt(&case, granularity);
            let mut campaign =
                Campaign::new(&case, scope.clone()).unwrap_or_else(|e| panic!("{e}"));
            let quiet = campaign.run(Box::new(Replay::new(Moves::default())));
            assert_eq!(quiet.stop, Stop::Completed, "{name} on {profile}");
            let (watched, asked) = campaign.run_and_return(Box::new(Asked::default()));
            let asked = (asked as Box<dyn std::any::Any>).downcast::<Asked>();
            let Asked(kinds, packets) = *asked.expect("it is what was lent");
            assert!(kinds.iter().all(|&kind| kind == ChoiceKind::Core));
            assert!(packets, "{name} on {profile}: nothing came");
            let mut machine = case
                .boot(scope, Watch::Recording)
                .unwrap_or_else(|e| panic!("{e}"));
            let recorded = machine.run(Box::new(Replay::new(Moves::default())));
            for other in [&watched, &recorded] {
                assert_eq!(other.trace_hash, quiet.trace_hash, "{name} on {profile}");
                assert_eq!(other.choices, quiet.choices, "{name} on {profile}");
            }
        }
    }
}

/// Changes of core alone bring a defect about: no luck with arrivals is needed.
#[test]
fn cores_alone_are_enough() {
    for (name, profile) in CASES.into_iter().filter(|(name, _)| *name == "q252664") {
        let case = case(name, profile, &[short(name)]);
        let here = format!("{name} on {profile}");
        let scope = Scope {
            world: World::PROMPT,
            ..Granularity::Sync.into()
        };
        let mut campaign = Campaign::new(&case, scope).unwrap_or_else(|e| panic!("{e}"));
        let first = campaign.run(Box::new(Replay::new(Moves::default())));
        let hints = Hints {
            choices: first.choices,
            ..Hints::default()
        };
        let pct = find("pct3").expect("it is in the list");
        let mut runs = (1..5000).map(|seed| campaign.run((pct.make)(seed, &hints)));
        assert!(
            runs.any(|ended| matches!(ended.stop, Stop::Bugcheck(_))),
            "{here}: no stop is found"
        );
    }
}
