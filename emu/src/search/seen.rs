//! The classes of schedules that a bounded search has reached, and at what cost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dfs::{Bound, Cost};

/// A class, and the core that ran last: what can be done next is decided by the first, and what that
/// costs by the second.
pub(super) type Key = (u64, u8);

/// See the module.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Seen(BTreeMap<u64, Vec<(u8, Cost)>>);

impl Seen {
    /// Whether everything that goes on from `key` at this cost goes on from what was reached.
    pub fn covers(&self, (class, core): Key, cost: Cost, bound: Bound) -> bool {
        let reached = self.0.get(&class).into_iter().flatten();
        reached
            .into_iter()
            .any(|&(other, cheap)| bound.covers(cheap, cost, other != core))
    }

    /// It was reached at this cost.
    pub fn insert(&mut self, (class, core): Key, cost: Cost) {
        self.0.entry(class).or_default().push((core, cost));
    }
}
