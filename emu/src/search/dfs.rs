//! Every schedule, depth first, up to a bound on what makes schedules unlikely.
//!
//! With a bound, schedules are run in the order of their cost, the sum of all that is limited: first
//! those without, then those that cost one, and so on (iterative context bounding: Musuvathi,
//! Qadeer, PLDI 2007; delay bounding: Emmi, Qadeer, Rakamaric, POPL 2011). The order within a cost
//! is depth first, in batches.
//!
//! If asked to, it goes on only once from what differs in nothing but the order of independent steps
//! (happens-before caching; see [`order`](super::order)). What a step will have led to is known
//! before it is made, so most of what need not be run is not.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::seen::Seen;
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

    /// Whether what goes on from a class at the cost of `dear` is among what goes on from there at
    /// the cost of `cheap`, where another core ran last (`elsewhere`).
    pub(super) fn covers(self, cheap: Cost, dear: Cost, elsewhere: bool) -> bool {
        // What the other core would go on with, this one has to be preempted for.
        let more = match elsewhere {
            true if self.delays.is_some() => return false,
            true => self.cost(0, Deviation::Preemption),
            false => Cost::default(),
        };
        add(cheap, more).iter().zip(dear).all(|(&a, b)| a <= b)
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
pub(super) type Cost = [u32; 4];

fn add(one: Cost, other: Cost) -> Cost {
    std::array::from_fn(|i| one[i] + other[i])
}

/// Schedules that are kept to be run, before not all options behind a run are. A run at `access`
/// granularity has tens of thousands, and hardly any of them is ever come to: when it is, the run is
/// made again and lists the next ones.
const ROOM: usize = 500_000;

/// How many are listed at a time.
const AT_ONCE: usize = 32;

/// A schedule to be run, or that is being run.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Prefix {
    /// Number and option of each move.
    moves: Vec<(u64, u32)>,
    /// What they cost.
    cost: Cost,
    /// The share of the whole space that begins like this.
    share: f64,
    /// The class that the last move leads to, and the core that makes it.
    #[serde(default)]
    class: Option<(u64, u8)>,
    /// It has been run, and so many schedules of this level that begin like it have been listed: now
    /// the next ones are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<usize>,
}

/// See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dfs {
    bound: Bound,
    #[serde(skip)]
    listing: Listing,
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
    /// The classes from which it has gone on, if it is to go on from each only once.
    #[serde(default)]
    classes: Option<Reached>,
}

/// See [`ROOM`] and [`AT_ONCE`].
#[derive(Clone, Copy, Debug)]
struct Listing {
    room: usize,
    at_once: usize,
}

impl Default for Listing {
    fn default() -> Listing {
        Listing {
            room: ROOM,
            at_once: AT_ONCE,
        }
    }
}

/// What has been reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Reached {
    /// At choices of schedules that were run.
    passed: Seen,
    /// By the last moves of schedules that were, or are being, run.
    begun: Seen,
    /// Schedules that were left out.
    left_out: u64,
}

impl Dfs {
    /// The whole space up to a bound.
    pub fn new(bound: Bound) -> Dfs {
        let root = Prefix {
            moves: Vec::new(),
            cost: Cost::default(),
            share: 1.0,
            class: None,
            again: None,
        };
        Dfs {
            bound,
            listing: Listing::default(),
            level: 0,
            open: vec![root],
            later: vec![Vec::new(); bound.most() as usize],
            out: Default::default(),
            seen: 0.0,
            classes: None,
        }
    }

    /// The same, but going on only once from what differs in the order of independent steps alone.
    /// Faults are choices inside a step, which the relation between steps knows nothing of: a case
    /// that injects faults is searched without.
    #[must_use]
    pub fn with_classes(self) -> Dfs {
        Dfs {
            classes: Some(Reached::default()),
            ..self
        }
    }

    /// The same, but where there is no room for as many schedules, those behind a run are listed so
    /// many `at_once`, at least 1.
    #[must_use]
    pub fn listing(self, room: usize, at_once: usize) -> Dfs {
        let listing = Listing { room, at_once };
        Dfs { listing, ..self }
    }

    /// The bound.
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// Cost of the schedules that are being run now.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// Whether a schedule leads to what others go on from. Takes note of it otherwise.
    fn leaves_out(&mut self, prefix: &Prefix) -> bool {
        let (Some(reached), Some(key)) = (&mut self.classes, prefix.class) else {
            return false;
        };
        let covered = |seen: &Seen| seen.covers(key, prefix.cost, self.bound);
        if covered(&reached.passed) || covered(&reached.begun) {
            reached.left_out += 1;
            self.seen += prefix.share;
            return true;
        }
        reached.begun.insert(key, prefix.cost);
        false
    }

    /// What begins like `prefix` and differs from its run at one of the nodes behind it.
    fn expand(&mut self, prefix: &Prefix, nodes: &[Node]) {
        // Each node shares what is left equally among its options.
        let mut left = prefix.share;
        let mut seen = 0.0;
        let mut found = Vec::new();
        let bound = self.bound;
        for node in nodes {
            if let (Some(reached), Some(at)) = (&mut self.classes, &node.classes) {
                let key = (at.before, at.current);
                if reached.passed.covers(key, prefix.cost, bound) {
                    break;
                }
                // Where nothing may be added, whoever comes here later is left out for what it has
                // begun with.
                let may = |option: usize| {
                    let more = bound.cost(option as u32, node.options[option]);
                    bound.allows(add(prefix.cost, more))
                };
                if (1..node.options.len()).any(may) {
                    reached.passed.insert(key, prefix.cost);
                }
            }
            let share = left / node.options.len() as f64;
            for option in (1..node.options.len()).rev() {
                let deviation = node.options[option];
                let cost = add(prefix.cost, bound.cost(option as u32, deviation));
                match bound.allows(cost) {
                    true => found.push((node, option as u32, cost, share)),
                    false => seen += share,
                }
            }
            left = share;
        }
        if prefix.again.is_none() {
            self.seen += seen + left;
        }
        self.sort_in(prefix, found);
    }

    /// Puts what was found behind a run where it will be taken up: each option of a node, what a
    /// schedule with it costs, and its share.
    fn sort_in(&mut self, prefix: &Prefix, found: Vec<(&Node, u32, Cost, f64)>) {
        let Listing { room, at_once } = self.listing;
        let kept = self.open.len() + self.later.iter().map(Vec::len).sum::<usize>();
        // Classes are noted when a run is made, which would leave out all behind it the second time.
        let keeps_all = self.classes.is_some() || kept + found.len() <= room;
        let now = self.level;
        let mut levels: Vec<Vec<_>> = vec![Vec::new(); self.later.len() + 1];
        for one in found {
            let level = one.2.iter().sum::<u32>();
            // What costs less than what is run now was listed before.
            if level >= now || prefix.again.is_none() {
                levels[level.max(now) as usize].push(one);
            }
        }
        for (level, mut all) in (0..).zip(levels) {
            let list = match now.cmp(&level) {
                Ordering::Less if prefix.again.is_some() => continue,
                Ordering::Less => &mut self.later[level as usize - 1],
                _ => &mut self.open,
            };
            // The last ones come first.
            let listed = prefix.again.unwrap_or(0);
            all.truncate(all.len() - listed.min(all.len()));
            let keeps = match keeps_all {
                true => all.len(),
                false if level > now => 0,
                false => at_once,
            };
            let rest = all.len().saturating_sub(keeps);
            if rest > 0 {
                list.push(Prefix {
                    again: Some(listed + keeps),
                    ..prefix.clone()
                });
            }
            list.extend(all.drain(rest..).map(|(node, option, cost, share)| {
                let last = (node.number, option);
                Prefix {
                    moves: prefix.moves.iter().copied().chain([last]).collect(),
                    cost,
                    share,
                    class: node.classes.as_ref().map(|c| c.after[option as usize]),
                    again: None,
                }
            }));
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
        let mut tasks = Vec::new();
        // What is run again lists many: one at a time.
        while tasks.len() < most
            && !self.out.iter().any(|prefix| prefix.again.is_some())
            && let Some(prefix) = self.open.pop()
        {
            if self.leaves_out(&prefix) {
                continue;
            }
            let moves = Moves(prefix.moves.clone());
            self.out.push_back(prefix);
            tasks.push(Task {
                strategy: "dfs",
                seed: None,
                answers: Box::new(match self.classes {
                    Some(_) => Follow::with_classes(moves),
                    None => Follow::new(moves),
                }),
            });
        }
        tasks
    }

    fn learn(&mut self, outcome: &mut Outcome) -> bool {
        let prefix = self.out.pop_front().expect("it was handed out");
        if let Some(follow) = outcome.answers.downcast_ref::<Follow>() {
            debug_assert!(!follow.diverged);
            let nodes = &follow.nodes;
            self.expand(&prefix, nodes);
        }
        prefix.again.is_none()
    }

    fn coverage(&self) -> Coverage {
        let exhausted =
            self.open.is_empty() && self.out.is_empty() && self.level == self.bound.most();
        Coverage {
            exhausted,
            share: Some(if exhausted { 1.0 } else { self.seen.min(1.0) }),
            redundant: self.classes.as_ref().map_or(0, |c| c.left_out),
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
