//! One schedule of every class of schedules that differ only in the order of independent steps.
//!
//! Source sets and sleep sets as in "Optimal Dynamic Partial Order Reduction" (Abdulla, Aronsson,
//! Jonsson, Sagonas, POPL 2014, algorithm 1), with races found after each run. What is dependent is
//! what [`Operation::conflicts`]; a step that makes another actor able to act happens before that
//! one's next step. An acquisition cannot be moved before the release that made it possible, so
//! with it races the acquisition that the release belongs to.
//!
//! Faults are choices inside a step, which this knows nothing of: whoever injects faults explores
//! with another strategy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Coverage, Outcome, Search, Task};
use crate::choice::strategy::Quiet;
use crate::choice::{Action, Actor, Choice, Effect, Operation, Strategy, View};
use crate::stop::{Awaited, Stop, Waiter};

/// What can be chosen: an actor, and for a packet the core that it arrives on.
type Key = (Actor, u8);

fn key(view: &dyn View, action: Action) -> Key {
    let core = match action {
        Action::Packet { core, .. } => core,
        _ => 0,
    };
    (view.actor(action), core)
}

/// A step of the execution that was run last.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Step {
    /// What could have happened, in the order of the options.
    enabled: Vec<(Key, Operation)>,
    /// Which of it did.
    taken: usize,
    /// What need not be tried here, since what it leads to has been seen.
    sleep: Vec<(Key, Operation)>,
    /// What must be tried here.
    backtrack: Vec<Key>,
    /// What has been tried here.
    done: Vec<Key>,
}

impl Step {
    fn actor(&self) -> Key {
        self.enabled[self.taken].0
    }

    fn operation(&self) -> &Operation {
        &self.enabled[self.taken].1
    }

    fn position(&self, key: Key) -> Option<usize> {
        self.enabled.iter().position(|(k, _)| *k == key)
    }

    /// What sleeps behind this step.
    fn sleep_behind(&self) -> Vec<(Key, Operation)> {
        let done = self.done.iter();
        let done = done.filter_map(|&k| self.position(k).map(|i| self.enabled[i]));
        let mut all: Vec<(Key, Operation)> = self.sleep.iter().copied().chain(done).collect();
        all.retain(|(k, op)| *k != self.actor() && !op.conflicts(self.operation()));
        all
    }
}

/// See the module.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Dpor {
    steps: Vec<Step>,
    begun: bool,
    finished: bool,
    redundant: u64,
}

impl Dpor {
    /// The whole space.
    pub fn new() -> Dpor {
        Dpor::default()
    }

    /// Goes back to the deepest step at which something is left to be tried, and takes it.
    fn advance(&mut self) {
        while let Some(step) = self.steps.last_mut() {
            let taken = step.actor();
            if !step.done.contains(&taken) {
                step.done.push(taken);
            }
            let open = step.backtrack.iter().copied().find(|k| {
                !step.done.contains(k) && !step.sleep.iter().any(|(asleep, _)| asleep == k)
            });
            if let Some(i) = open.and_then(|k| step.position(k)) {
                step.taken = i;
                return;
            }
            self.steps.pop();
        }
        self.finished = true;
    }

    /// Finds the races of the steps from `from` on and asks for their reversals.
    fn race(&mut self, from: usize, waiting: &[(Key, Operation)]) {
        let mut clocks = Clocks::default();
        for j in 0..self.steps.len() {
            let races = clocks.add(&self.steps, j);
            if j >= from {
                for i in races {
                    self.reverse(&clocks, i, j);
                }
            }
        }
        // Who waited in the end would have acquired what others had before.
        let done = self.steps.len();
        for &next in waiting {
            self.steps.push(Step {
                enabled: vec![next],
                taken: 0,
                sleep: Vec::new(),
                backtrack: Vec::new(),
                done: Vec::new(),
            });
            let races = clocks.add(&self.steps, done);
            for i in races {
                self.reverse(&clocks, i, done);
            }
            self.steps.pop();
            clocks.take_back();
        }
    }

    /// Asks for an execution in which step `j` comes before step `i`.
    fn reverse(&mut self, clocks: &Clocks, i: usize, j: usize) {
        // What is not after `i`, and `j` itself.
        let mut others: Vec<usize> = (i + 1..j).filter(|&k| !clocks.before(i, k)).collect();
        others.push(j);
        let mut first: Vec<Key> = Vec::new();
        let mut seen: Vec<Key> = Vec::new();
        for (n, &k) in others.iter().enumerate() {
            let actor = self.steps[k].actor();
            if seen.contains(&actor) {
                continue;
            }
            seen.push(actor);
            if !others[..n].iter().any(|&e| clocks.before(e, k)) {
                first.push(actor);
            }
        }
        let wanted = self.steps[j].actor();
        let step = &mut self.steps[i];
        if first.iter().any(|k| step.backtrack.contains(k)) {
            return;
        }
        let able: Vec<Key> = first
            .into_iter()
            .filter(|&k| step.position(k).is_some())
            .collect();
        match able.iter().find(|k| **k == wanted).or(able.first()) {
            Some(&k) => step.backtrack.push(k),
            None => {
                let all = step.enabled.iter().map(|(k, _)| *k);
                step.backtrack = all.collect();
            }
        }
    }
}

/// What would happen next in a deadlock, if it could.
fn waiting(stop: &Stop) -> Vec<(Key, Operation)> {
    let Stop::Deadlock { waits } = stop else {
        return Vec::new();
    };
    let next = waits.iter().filter_map(|wait| {
        let actor = match wait.waiter {
            Waiter::Core { core, thread } => thread.map_or(Actor::Dpc(core), Actor::Thread),
            Waiter::Thread { thread, .. } => Actor::Thread(thread),
            Waiter::Stream { .. } => return None,
        };
        let at = match wait.awaited {
            Awaited::SpinLock(at) | Awaited::Object(_, at) => at,
            _ => return None,
        };
        Some(((actor, 0), Operation::one(at, 1, Effect::Acquire)))
    });
    next.collect()
}

/// Which steps happen before which.
#[derive(Default)]
struct Clocks {
    /// Index of each actor, in the order of their first steps.
    actors: BTreeMap<Key, usize>,
    /// For each step, how many steps of each actor happen before it or are it.
    clocks: Vec<Vec<u32>>,
    /// For each step, its actor and its number among that one's steps, from 1.
    own: Vec<(usize, u32)>,
    /// The steps of each actor.
    of: Vec<Vec<usize>>,
    /// The step that made an actor able to act, until it does.
    enabled_by: BTreeMap<Key, usize>,
}

impl Clocks {
    /// Whether step `i` happens before step `j`.
    fn before(&self, i: usize, j: usize) -> bool {
        covers(&self.clocks[j], self.own[i])
    }

    /// Adds step `j`; gives the steps that race with it.
    fn add(&mut self, steps: &[Step], j: usize) -> Vec<usize> {
        let step = &steps[j];
        let count = self.actors.len();
        let actor = *self.actors.entry(step.actor()).or_insert(count);
        if actor == self.of.len() {
            self.of.push(Vec::new());
        }
        let mut clock = match self.of[actor].last() {
            Some(&last) => self.clocks[last].clone(),
            None => Vec::new(),
        };
        let enabler = self.enabled_by.remove(&step.actor());
        let acquires = step.operation().touches().iter();
        let acquires = acquires.clone().any(|t| t.effect == Effect::Acquire);
        if let Some(k) = enabler.filter(|_| !acquires) {
            join(&mut clock, &self.clocks[k]);
        }
        let mut races = Vec::new();
        for i in (0..j).rev() {
            if self.own[i].0 == actor || covers(&clock, self.own[i]) {
                continue;
            }
            let (a, b) = (steps[i].operation(), step.operation());
            if !a.conflicts(b) {
                continue;
            }
            if a.reversible(b) {
                races.push(i);
            } else if let Some(m) = self.acquisition(steps, i)
                && !covers(&clock, self.own[m])
            {
                races.push(m);
            }
            join(&mut clock, &self.clocks[i]);
        }
        if let Some(k) = enabler {
            join(&mut clock, &self.clocks[k]);
        }
        let number = self.of[actor].len() as u32 + 1;
        if clock.len() <= actor {
            clock.resize(actor + 1, 0);
        }
        clock[actor] = number;
        self.clocks.push(clock);
        self.own.push((actor, number));
        self.of[actor].push(j);
        if let Some(next) = steps.get(j + 1) {
            let new = next.enabled.iter().map(|(k, _)| *k);
            for k in new.filter(|&k| k != step.actor() && step.position(k).is_none()) {
                self.enabled_by.insert(k, j);
            }
        }
        races
    }

    /// Forgets the step that was added last.
    fn take_back(&mut self) {
        self.clocks.pop();
        if let Some((actor, _)) = self.own.pop() {
            self.of[actor].pop();
        }
    }

    /// The acquisition that the release at step `i` belongs to.
    fn acquisition(&self, steps: &[Step], i: usize) -> Option<usize> {
        let of = |effect| {
            let touches = steps[i].operation().touches().iter();
            touches.clone().find(move |t| t.effect == effect)
        };
        let lock = of(Effect::Release)?.start;
        let mine = self.of[self.own[i].0].iter().rev();
        let acquires = |k: &&usize| {
            let mut touches = steps[**k].operation().touches().iter();
            touches.any(|t| t.effect == Effect::Acquire && t.start == lock)
        };
        mine.filter(|&&k| k < i).find(acquires).copied()
    }
}

fn covers(clock: &[u32], (actor, number): (usize, u32)) -> bool {
    clock.get(actor).is_some_and(|&n| n >= number)
}

fn join(clock: &mut Vec<u32>, other: &[u32]) {
    if clock.len() < other.len() {
        clock.resize(other.len(), 0);
    }
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}

impl Search for Dpor {
    fn next(&mut self, most: usize) -> Vec<Task> {
        if most == 0 || self.finished || self.begun {
            return Vec::new();
        }
        self.begun = true;
        let sleep = self.steps.last().map_or_else(Vec::new, Step::sleep_behind);
        let walk = Walk {
            prefix: self.steps.iter().map(|s| s.taken).collect(),
            at: 0,
            sleep,
            steps: Vec::new(),
            pending: None,
            blocked: None,
        };
        vec![Task {
            strategy: "dpor",
            seed: None,
            answers: Box::new(walk),
        }]
    }

    fn learn(&mut self, outcome: &mut Outcome) -> bool {
        self.begun = false;
        let Some(walk) = outcome.answers.downcast_mut::<Walk>() else {
            return true;
        };
        let from = self.steps.len().saturating_sub(1);
        let mut new = std::mem::take(&mut walk.steps);
        if let Some(at) = walk.blocked {
            new.truncate(at);
            self.redundant += 1;
        }
        self.steps.extend(new);
        let mut waiting = waiting(&outcome.ended.stop);
        // A run that was cut off shows what others would have done next.
        if let Some(last) = self.steps.last()
            && !matches!(outcome.ended.stop, Stop::Completed | Stop::Deadlock { .. })
        {
            let others = last.enabled.iter().copied();
            waiting.extend(others.filter(|(k, _)| *k != last.actor()));
        }
        self.race(from, &waiting);
        self.advance();
        walk.blocked.is_none()
    }

    fn coverage(&self) -> Coverage {
        Coverage {
            exhausted: self.finished,
            share: None,
            redundant: self.redundant,
            placements: None,
        }
    }

    fn save(&self) -> String {
        serde_json::to_string(self).expect("it is plain data")
    }

    fn resume(&mut self, saved: &str) -> Result<(), String> {
        *self = serde_json::from_str(saved).map_err(|e| e.to_string())?;
        Ok(())
    }
}

/// Follows a prefix, then takes the first option that does not sleep, and notes every step.
struct Walk {
    /// Index of what happens at each step.
    prefix: Vec<usize>,
    at: usize,
    sleep: Vec<(Key, Operation)>,
    /// The steps behind the prefix.
    steps: Vec<Step>,
    /// The choice that the next step comes from.
    pending: Option<(Vec<(Key, Operation)>, usize)>,
    /// The step from which on everything has been seen in other executions.
    blocked: Option<usize>,
}

impl Walk {
    fn asleep(&self, key: Key) -> bool {
        self.sleep.iter().any(|(k, _)| *k == key)
    }
}

impl Strategy for Walk {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        if let Some(&taken) = self.prefix.get(self.at) {
            return taken;
        }
        if self.blocked.is_some() {
            return 0;
        }
        let options = choice.options.iter();
        let enabled: Vec<(Key, Operation)> = options
            .map(|&a| (key(choice.view, a), choice.view.operation(a)))
            .collect();
        let awake = enabled.iter().position(|(k, _)| !self.asleep(*k));
        if awake.is_none() {
            self.blocked = Some(self.steps.len());
        }
        let taken = awake.unwrap_or(0);
        self.pending = Some((enabled, taken));
        taken
    }

    fn quiet(&mut self, _next: &Choice<'_>) -> Quiet {
        Quiet::Ask
    }

    fn observes(&self) -> bool {
        true
    }

    fn observe(&mut self, view: &dyn View, action: Action) {
        self.at += 1;
        if self.at <= self.prefix.len() || self.blocked.is_some() {
            return;
        }
        let alone = || (vec![(key(view, action), view.operation(action))], 0);
        let (enabled, taken) = self.pending.take().unwrap_or_else(alone);
        let actor = enabled[taken].0;
        if self.asleep(actor) {
            self.blocked = Some(self.steps.len());
            return;
        }
        let step = Step {
            enabled,
            taken,
            sleep: std::mem::take(&mut self.sleep),
            backtrack: vec![actor],
            done: Vec::new(),
        };
        self.sleep = step.sleep_behind();
        self.steps.push(step);
    }
}
