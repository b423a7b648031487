//! The strategies on real drivers: what the model's passing points quietly stands for. Needs
//! `cargo xtask drivers`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use emu::campaign::Campaign;
use emu::choice::strategy::{Hints, Quiet, find};
use emu::choice::{Action, Choice, Strategy, View};
use emu::machine::Granularity;

use crate::support::{CASES, case};

/// A strategy whose answers are counted, and which may be kept from looking ahead.
struct Spied {
    inner: Box<dyn Strategy>,
    ahead: bool,
    asked: Arc<AtomicU64>,
    broken: Arc<AtomicU64>,
}

impl Strategy for Spied {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        let taken = self.inner.choose(choice);
        self.asked.fetch_add(1, Relaxed);
        let broken = choice.announced && taken == 0;
        self.broken.fetch_add(u64::from(broken), Relaxed);
        taken
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        match self.ahead {
            true => self.inner.quiet(next),
            false => Quiet::Ask,
        }
    }

    fn foresees(&self) -> bool {
        self.inner.foresees()
    }

    fn observes(&self) -> bool {
        self.inner.observes()
    }

    fn observe(&mut self, view: &dyn View, action: Action) {
        self.inner.observe(view, action);
    }
}

#[test]
fn passing_quietly_changes_nothing_on_a_machine() {
    for (scenario, profile) in CASES {
        let case = case(scenario, profile, &[]);
        for granularity in [Granularity::Sync, Granularity::Access] {
            let mut campaign = Campaign::new(&case, granularity).unwrap();
            let mut hints = Hints::default();
            let (mut fewer, mut all) = (0, 0);
            for (seed, name) in (0..12).zip(["pct2", "pct3"].into_iter().cycle()) {
                let strategy = find(name).unwrap();
                let mut run = |ahead| {
                    let asked = Arc::new(AtomicU64::new(0));
                    let broken = Arc::new(AtomicU64::new(0));
                    let ended = campaign.run(Box::new(Spied {
                        inner: (strategy.make)(seed, &hints),
                        ahead,
                        asked: asked.clone(),
                        broken: broken.clone(),
                    }));
                    let here = format!("{scenario} {profile} {granularity:?} {name} {seed}");
                    assert_eq!(broken.load(Relaxed), 0, "{here}");
                    (ended, asked.load(Relaxed), here)
                };
                let (quiet, few, here) = run(true);
                let (full, many, _) = run(false);
                assert_eq!(quiet.moves, full.moves, "{here}");
                assert_eq!(quiet.trace_hash, full.trace_hash, "{here}");
                assert_eq!(quiet.choices, full.choices, "{here}");
                fewer += few;
                all += many;
                hints.choices = hints.choices.max(full.choices);
            }
            // At sync granularity nearly every point is a kernel call; what a call does is asked about.
            let least = match granularity {
                Granularity::Sync => 3,
                _ => 10,
            };
            assert!(least * fewer < all, "{scenario} {profile}: {fewer} {all}");
        }
    }
}
