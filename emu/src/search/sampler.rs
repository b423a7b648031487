//! A strategy that draws schedules from seeds, one seed after the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Coverage, Outcome, Search, Task};
use crate::campaign::Campaign;
use crate::choice::strategy::{Hints, Observes, Quiet};
use crate::choice::{Action, Choice, Strategy, StrategyKind, View};

/// See the module.
pub struct Sampler {
    kind: &'static StrategyKind,
    hints: Hints,
    next: u64,
    /// The last seed.
    last: u64,
}

/// A sampler as text.
#[derive(Serialize, Deserialize)]
struct Saved {
    next: u64,
    last: u64,
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
        let (next, last) = (self.next, self.last);
        serde_json::to_string(&Saved { next, last }).expect("it is plain data")
    }

    fn resume(&mut self, saved: &str) -> Result<(), String> {
        let saved: Saved = serde_json::from_str(saved).map_err(|e| e.to_string())?;
        (self.next, self.last) = (saved.next, saved.last);
        Ok(())
    }
}

/// What strategies are told of the runs before theirs: what the default schedule shows.
pub fn profile(campaign: &mut Campaign) -> Hints {
    let (ended, strategy) = campaign.run_and_return(Box::new(Count::default()));
    let strategy: Box<dyn std::any::Any> = strategy;
    let steps = match strategy.downcast::<Count>() {
        Ok(count) => count.steps,
        Err(_) => BTreeMap::new(),
    };
    Hints {
        choices: ended.choices,
        steps,
    }
}

/// Takes option 0 everywhere and counts the steps.
#[derive(Default)]
struct Count {
    steps: BTreeMap<crate::choice::Actor, u64>,
}

impl Strategy for Count {
    fn choose(&mut self, _choice: &Choice<'_>) -> usize {
        0
    }

    fn quiet(&mut self, _next: &Choice<'_>) -> Quiet {
        Quiet::Ask
    }

    fn observes(&self) -> Observes {
        Observes::Steps
    }

    fn observe(&mut self, view: &dyn View, action: Action) {
        *self.steps.entry(view.actor(action)).or_default() += 1;
    }
}
