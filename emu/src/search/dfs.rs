//! Every schedule, depth first, up to a bound on what makes schedules unlikely.
//!
//! With a bound, schedules are run in the order of their cost, the sum of all that is limited: first
//! those without, then those that cost one, and so on (iterative context bounding: Musuvathi,
//! Qadeer, PLDI 2007; delay bounding: Emmi, Qadeer, Rakamaric, POPL 2011). The order within a cost
//! is depth first, in batches.

use serde::{Deserialize, Serialize};

use super::{Coverage, Follow, Node, Outcome, Search, Task};
use crate::choice::{Deviation, Moves};

/// What is bounded; what is not has no limit. See [`Deviation`] for what counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Preemptions of a schedule.
    pub preemptions: Option<u32>,
    /// Its arrivals: what the outside world does otherwise than by itself.
    pub arrivals: Option<u32>,
    /// Its faults: strikes of rules that are left to the schedule.
    pub faults: Option<u32>,
    /// Its delays: options that are passed over, so a choice costs the number of the option taken.
    pub delays: Option<u32>,
}

impl Bound {
    /// None.
    pub const NONE: Bound = Bound {
        preemptions: None,
        arrivals: None,
        faults: None,
        delays: None,
    };

    /// So many preemptions, and arrivals without limit.
    pub fn preemptions(most: u32) -> Bound {
        Bound {
            preemptions: Some(most),
            ..Bound::NONE
        }
    }

    /// The same with a limit on arrivals.
    #[must_use]
    pub fn and_arrivals(self, most: u32) -> Bound {
        Bound {
            arrivals: Some(most),
            ..self
        }
    }

    /// The same with a limit on faults.
    #[must_use]
    pub fn and_faults(self, most: u32) -> Bound {
        Bound {
            faults: Some(most),
            ..self
        }
    }

    fn limits(self) -> [Option<u32>; 4] {
        [self.preemptions, self.arrivals, self.faults, self.delays]
    }

    /// What taking an option costs, where it is limited.
    fn cost(self, option: u32, deviation: Deviation) -> Cost {
        let preempts = u32::from(deviation == Deviation::Preemption);
        let arrives = u32::from(deviation == Deviation::Arrival);
        let strikes = u32::from(deviation == Deviation::Fault);
        let costs = [preempts, arrives, strikes, option];
        let limits = self.limits();
        std::array::from_fn(|i| limits[i].map_or(0, |_| costs[i]))
    }

    fn allows(self, cost: Cost) -> bool {
        let mut both = self.limits().into_iter().zip(cost);
        both.all(|(most, cost)| most.is_none_or(|most| cost <= most))
    }

    /// The most that a schedule within the bound can cost.
    fn most(self) -> u32 {
        self.limits().into_iter().flatten().sum()
    }

    /// In words.
    pub fn words(self) -> String {
        let names = ["preemption", "arrival", "fault", "delay"].into_iter();
        let limits = names.zip(self.limits()).filter_map(|(name, most)| {
            let most = most?;
            let plural = if most == 1 { "" } else { "s" };
            Some(format!("{most} {name}{plural}"))
        });
        match limits.collect::<Vec<_>>().as_slice() {
            [] => "without a bound".into(),
            [rest @ .., last] => match rest {
                [] => format!("with at most {last}"),
                _ => format!("with at most {} and {last}", rest.join(", ")),
            },
        }
    }
}

/// Preemptions, arrivals, faults and delays of a schedule, those that are limited.
type Cost = [u32; 4];

/// A schedule to be run, or that is being run.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Prefix {
    /// Number and option of each move.
    moves: Vec<(u64, u32)>,
    /// What they cost.
    cost: Cost,
    /// The share of the whole space that begins like this.
    share: f64,
}

/// See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dfs {
    bound: Bound,
    /// Cost that schedules may have now.
    level: u32,
    /// To be run, the next one last.
    open: Vec<Prefix>,
    /// To be run at higher levels.
    later: Vec<Vec<Prefix>>,
    /// Handed out, in that order.
    #[serde(skip)]
    out: std::collections::VecDeque<Prefix>,
    /// The share of the space that has been run.
    seen: f64,
}

impl Dfs {
    /// The whole space up to a bound.
    pub fn new(bound: Bound) -> Dfs {
        let root = Prefix {
            moves: Vec::new(),
            cost: Cost::default(),
            share: 1.0,
        };
        Dfs {
            bound,
            level: 0,
            open: vec![root],
            later: vec![Vec::new(); bound.most() as usize],
            out: Default::default(),
            seen: 0.0,
        }
    }

    /// The bound.
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// Cost of the schedules that are being run now.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// What begins like `prefix` and differs from its run at one of the nodes behind it.
    fn expand(&mut self, prefix: &Prefix, nodes: &[Node]) {
        // Each node shares what is left equally among its options.
        let mut left = prefix.share;
        let mut found = Vec::new();
        for node in nodes {
            let share = left / node.options.len() as f64;
            for option in (1..node.options.len()).rev() {
                let deviation = node.options[option];
                let option = option as u32;
                let more = self.bound.cost(option, deviation);
                let cost: Cost = std::array::from_fn(|i| prefix.cost[i] + more[i]);
                if !self.bound.allows(cost) {
                    self.seen += share;
                    continue;
                }
                let mut moves = prefix.moves.clone();
                moves.push((node.number, option));
                found.push(Prefix { moves, cost, share });
            }
            left = share;
        }
        self.seen += left;
        for prefix in found {
            match prefix.cost.iter().sum::<u32>().checked_sub(self.level + 1) {
                None => self.open.push(prefix),
                Some(above) => self.later[(self.level + above) as usize].push(prefix),
            }
        }
    }
}

impl Search for Dfs {
    fn next(&mut self, most: usize) -> Vec<Task> {
        if self.out.is_empty() {
            while self.open.is_empty() && self.level < self.bound.most() {
                self.open = std::mem::take(&mut self.later[self.level as usize]);
                self.level += 1;
            }
        }
        let from = self.open.len().saturating_sub(most);
        let taken = self.open.drain(from..).rev();
        let out = &mut self.out;
        taken
            .map(|prefix| {
                let moves = Moves(prefix.moves.clone());
                out.push_back(prefix);
                Task {
                    strategy: "dfs",
                    seed: None,
                    answers: Box::new(Follow::new(moves)),
                }
            })
            .collect()
    }

    fn learn(&mut self, outcome: &mut Outcome) -> bool {
        let prefix = self.out.pop_front().expect("it was handed out");
        if let Some(follow) = outcome.answers.downcast_ref::<Follow>() {
            debug_assert!(!follow.diverged);
            let nodes = &follow.nodes;
            self.expand(&prefix, nodes);
        }
        true
    }

    fn coverage(&self) -> Coverage {
        let exhausted =
            self.open.is_empty() && self.out.is_empty() && self.level == self.bound.most();
        Coverage {
            exhausted,
            share: Some(if exhausted { 1.0 } else { self.seen.min(1.0) }),
            ..Coverage::default()
        }
    }

    fn save(&self) -> String {
        debug_assert!(self.out.is_empty());
        serde_json::to_string(self).expect("it is plain data")
    }

    fn resume(&mut self, saved: &str) -> Result<(), String> {
        *self = serde_json::from_str(saved).map_err(|e| e.to_string())?;
        Ok(())
    }
}
