//! A strategy that draws schedules from seeds, one seed after the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Coverage, Outcome, Search, Task};
use crate::campaign::Campaign;
use crate::choice::strategy::{Hints, Quiet, Random};
use crate::choice::{Action, Choice, Strategy, StrategyKind, View};

/// See the module.
pub struct Sampler {
    kind: &'static StrategyKind,
    hints: Hints,
    next: u64,
    /// The last seed.
    last: u64,
}

/// A sampler as text. How far it is to go is not part of it: that may be another number of seeds when
/// it goes on.
#[derive(Serialize, Deserialize)]
struct Saved {
    next: u64,
}

impl Sampler {
    /// Seeds `first` to `last`, both included.
    pub fn new(kind: &'static StrategyKind, hints: Hints, first: u64, last: u64) -> Sampler {
        Sampler {
            kind,
            hints,
            next: first,
            last,
        }
    }
}

impl Search for Sampler {
    fn next(&mut self, most: usize) -> Vec<Task> {
        let left = self.last.saturating_add(1).saturating_sub(self.next);
        let n = left.min(most as u64);
        let tasks = (self.next..self.next + n).map(|seed| Task {
            strategy: self.kind.name,
            seed: Some(seed),
            answers: (self.kind.make)(seed, &self.hints),
        });
        let tasks = tasks.collect();
        self.next += n;
        tasks
    }

    fn learn(&mut self, _outcome: &mut Outcome) -> bool {
        true
    }

    fn coverage(&self) -> Coverage {
        Coverage {
            exhausted: self.next > self.last,
            ..Coverage::default()
        }
    }

    fn save(&self) -> String {
        let next = self.next;
        serde_json::to_string(&Saved { next }).expect("it is plain data")
    }

    fn resume(&mut self, saved: &str) -> Result<(), String> {
        let saved: Saved = serde_json::from_str(saved).map_err(|e| e.to_string())?;
        self.next = saved.next;
        Ok(())
    }
}

/// Random runs that are watched beside the default one.
const WATCHED: u64 = 24;

/// What strategies are told of the runs before theirs: the most that the default schedule and some
/// random ones show. The default one alone will not do: threads that follow one another are seldom
/// able to go on at the same time, so it has few choices, and bugs behind the last one that a
/// strategy knows of would be out of its reach.
pub fn profile(campaign: &mut Campaign) -> Hints {
    let mut hints = Hints::default();
    for seed in 0..=WATCHED {
        let (ended, strategy) = campaign.run_and_return(Box::new(Count {
            random: (seed > 0).then(|| Random::new(seed)),
            steps: BTreeMap::new(),
        }));
        hints.choices = hints.choices.max(ended.choices);
        let strategy: Box<dyn std::any::Any> = strategy;
        let Ok(count) = strategy.downcast::<Count>() else {
            continue;
        };
        for (actor, steps) in count.steps {
            let most = hints.steps.entry(actor).or_default();
            *most = steps.max(*most);
        }
    }
    hints
}

/// Takes option 0 everywhere, or draws, and counts the steps.
struct Count {
    random: Option<Random>,
    steps: BTreeMap<crate::choice::Actor, u64>,
}

impl Strategy for Count {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        self.random.as_mut().map_or(0, |r| r.choose(choice))
    }

    fn quiet(&mut self, _next: &Choice<'_>) -> Quiet {
        Quiet::Ask
    }

    fn observes(&self) -> bool {
        true
    }

    fn observe(&mut self, view: &dyn View, action: Action) {
        *self.steps.entry(view.actor(action)).or_default() += 1;
    }
}
