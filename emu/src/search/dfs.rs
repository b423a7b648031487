//! Every schedule, depth first, up to a bound on what makes schedules unlikely.
//!
//! With a bound, schedules are run in the order of their cost: first those without, then those that
//! cost one, and so on (iterative context bounding: Musuvathi, Qadeer, PLDI 2007; delay bounding:
//! Emmi, Qadeer, Rakamaric, POPL 2011). The order within a bound is depth first, in batches.

use serde::{Deserialize, Serialize};

use super::{Coverage, Follow, Node, Outcome, Search, Task};
use crate::choice::Moves;

/// What is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bound {
    /// Nothing.
    None,
    /// Choices at which a core that could go on does not.
    Preemptions(u32),
    /// Options passed over: the cost of a choice is the number of the option taken.
    Delays(u32),
}

impl Bound {
    /// What taking an option at a node costs.
    fn cost(self, node: &Node, option: u32) -> u32 {
        match self {
            Bound::None => 0,
            Bound::Preemptions(_) => u32::from(node.could_go_on && option > 0),
            Bound::Delays(_) => option,
        }
    }

    fn most(self) -> u32 {
        match self {
            Bound::None => 0,
            Bound::Preemptions(n) | Bound::Delays(n) => n,
        }
    }

    /// In words.
    pub fn words(self) -> String {
        match self {
            Bound::None => "without a bound".into(),
            Bound::Preemptions(n) => format!("with at most {n} preemptions"),
            Bound::Delays(n) => format!("with at most {n} delays"),
        }
    }
}

/// A schedule to be run, or that is being run.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Prefix {
    /// Number and option of each move.
    moves: Vec<(u64, u32)>,
    /// What they cost.
    cost: u32,
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
            cost: 0,
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
            let share = left / f64::from(node.options);
            for option in (1..node.options).rev() {
                let cost = prefix.cost + self.bound.cost(node, option);
                if cost > self.bound.most() {
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
            match prefix.cost.checked_sub(self.level + 1) {
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
            redundant: 0,
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
