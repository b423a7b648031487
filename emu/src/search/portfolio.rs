//! Several searches that share a budget: the next task is of the one that has cost least so far.
//!
//! Cost is what a run did, in instructions and choices, not the time it took, so that the order of
//! the tasks is the same on every machine.

use super::{Coverage, Outcome, Search, Task};

/// What being asked costs, in instructions: what stopping the emulator and listing the options do.
const CHOICE: u64 = 16;

/// See the module.
pub struct Portfolio {
    members: Vec<Member>,
    /// Of the tasks handed out, whose they are.
    out: std::collections::VecDeque<usize>,
}

/// A member as text: its search, cost, runs, and whether it is done.
type Saved = (String, u64, u64, bool);

struct Member {
    search: Box<dyn Search>,
    cost: u64,
    /// Mean cost of its runs so far: what a task that is out is taken to cost.
    mean: u64,
    runs: u64,
    done: bool,
}

impl Portfolio {
    /// A portfolio of these.
    pub fn new(members: Vec<Box<dyn Search>>) -> Portfolio {
        let member = |search| Member {
            search,
            cost: 0,
            mean: 1,
            runs: 0,
            done: false,
        };
        Portfolio {
            members: members.into_iter().map(member).collect(),
            out: Default::default(),
        }
    }

    fn cheapest(&self, charged: &[u64]) -> Option<usize> {
        let open = self.members.iter().enumerate().filter(|(_, m)| !m.done);
        open.min_by_key(|(i, m)| (m.cost + charged[*i], *i))
            .map(|(i, _)| i)
    }
}

impl Search for Portfolio {
    fn next(&mut self, most: usize) -> Vec<Task> {
        let mut charged = vec![0; self.members.len()];
        let mut tasks = Vec::new();
        while tasks.len() < most {
            let Some(i) = self.cheapest(&charged) else {
                break;
            };
            let member = &mut self.members[i];
            match member.search.next(1).pop() {
                Some(task) => {
                    charged[i] += member.mean.max(1);
                    self.out.push_back(i);
                    tasks.push(task);
                }
                // It may have tasks again when it has learnt from those that are out.
                None if self.out.contains(&i) => charged[i] = u64::MAX / 2,
                None => member.done = true,
            }
            if charged.iter().all(|&c| c >= u64::MAX / 2) {
                break;
            }
        }
        tasks
    }

    fn learn(&mut self, outcome: &mut Outcome) -> bool {
        let i = self.out.pop_front().expect("it was handed out");
        let member = &mut self.members[i];
        let cost = outcome.ended.instructions + CHOICE * outcome.ended.choices;
        member.cost += cost;
        member.runs += 1;
        member.mean = member.cost / member.runs;
        member.search.learn(outcome)
    }

    fn coverage(&self) -> Coverage {
        let all = self.members.iter().map(|m| m.search.coverage());
        Coverage {
            exhausted: all.clone().all(|c| c.exhausted),
            share: all.clone().filter_map(|c| c.share).reduce(f64::max),
            redundant: all.map(|c| c.redundant).sum(),
            placements: None,
        }
    }

    fn save(&self) -> String {
        let saved: Vec<Saved> = self
            .members
            .iter()
            .map(|m| (m.search.save(), m.cost, m.runs, m.done))
            .collect();
        serde_json::to_string(&saved).expect("it is plain data")
    }

    fn resume(&mut self, saved: &str) -> Result<(), String> {
        let saved: Vec<Saved> = serde_json::from_str(saved).map_err(|e| e.to_string())?;
        if saved.len() != self.members.len() {
            return Err("another number of strategies".into());
        }
        for (member, (search, cost, runs, done)) in self.members.iter_mut().zip(saved) {
            member.search.resume(&search)?;
            (member.cost, member.runs, member.done) = (cost, runs, done);
            member.mean = cost / runs.max(1);
        }
        Ok(())
    }
}
