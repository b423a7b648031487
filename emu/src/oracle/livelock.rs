//! A run that was ended by a limit: the loop in which each core is.

use std::collections::BTreeSet;

use super::Oracle;
use super::finding::{Finding, Spot};
use super::walk::{Observer, Walk, walk};
use crate::choice::Actor;
use crate::explain::MachineNames;
use crate::machine::{Ended, Machine};
use crate::stop::Stop;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "livelock",
    help: "the loop that a run is in when it reaches a limit",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: Guidelines for Writing DPC Routines; \
                    Bug Check 0x133 DPC_WATCHDOG_VIOLATION";
const HELP: &str = "bound the loop, or wait for what it waits for";

/// Instructions of a core that are looked at.
const TAIL: usize = 200_000;
/// Rounds that make a loop.
const ROUNDS: usize = 3;
/// Places of a loop that are named.
const PLACES: usize = 8;

fn check(machine: &Machine, ended: &Ended) -> Vec<Finding> {
    if !matches!(ended.stop, Stop::Limit { .. }) {
        return Vec::new();
    }
    let mut last = Last(vec![None; usize::from(machine.cpus())]);
    walk(machine, &mut last);
    let cores = (0..machine.cpus()).filter_map(|core| {
        let (at, actor, irql) = last.0[usize::from(core)]?;
        finding(machine, core, at, actor, irql)
    });
    cores.collect()
}

/// Where each core was last: index in the path, actor, IRQL.
struct Last(Vec<Option<(usize, Actor, u8)>>);

impl Observer for Last {
    const PATH: bool = true;

    fn insn(&mut self, walk: &Walk<'_>, index: usize) {
        let core = walk.machine.path()[index].0;
        self.0[usize::from(core)] = Some((index, walk.actor(core), walk.irql(core)));
    }
}

fn finding(machine: &Machine, core: u8, at: usize, actor: Actor, irql: u8) -> Option<Finding> {
    let path = machine.path()[..=at].iter().rev();
    let own = path.filter(|(c, _)| *c == core).take(TAIL);
    let backwards: Vec<u64> = own.map(|(_, pc)| *pc).collect();
    let (length, rounds) = shortest_loop(&backwards)?;
    let names = MachineNames::new(machine);
    let mut lines = BTreeSet::new();
    let stack = super::stacks::at(machine, &BTreeSet::from([at]));
    let mut places = Vec::new();
    // From its first instruction on, in the order in which it executes them.
    for &pc in backwards[..length].iter().rev() {
        let place = names.resolve(pc);
        if places.len() < PLACES && lines.insert((place.function, place.source)) {
            places.push(Spot {
                role: "in the loop".into(),
                position: machine.position_of(at as u64 + 1),
                core,
                actor,
                irql,
                pc,
                stack: Vec::new(),
                access: None,
                locks: Vec::new(),
            });
        }
    }
    if let (Some(place), Some(stack)) = (places.last_mut(), stack.get(&at)) {
        place.stack.clone_from(stack);
    }
    Some(Finding {
        places,
        help: HELP,
        rule: RULE,
        count: rounds as u64,
        ..Finding::new(ORACLE.name, format!("a loop of {length} instructions"))
    })
}

/// The shortest stretch at the beginning of `all` that repeats from there on at least so often as a
/// loop does: its length, and how often.
fn shortest_loop(all: &[u64]) -> Option<(usize, usize)> {
    let same = z(all);
    let repeats = |p: &usize| same[*p] >= (ROUNDS - 1) * p;
    let p = (1..all.len() / ROUNDS + 1).find(repeats)?;
    Some((p, 1 + same[p] / p))
}

/// For each index, how much of the beginning is there again (the Z function; Gusfield 1997).
fn z(all: &[u64]) -> Vec<usize> {
    let mut out = vec![0; all.len()];
    let (mut left, mut right) = (0, 0);
    for i in 1..all.len() {
        if i < right {
            out[i] = out[i - left].min(right - i);
        }
        while i + out[i] < all.len() && all[out[i]] == all[i + out[i]] {
            out[i] += 1;
        }
        if i + out[i] > right {
            (left, right) = (i, i + out[i]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_what_repeats_at_the_end() {
        let run = [1, 2, 3, 7, 8, 7, 8, 7, 8];
        let backwards: Vec<u64> = run.iter().rev().copied().collect();
        assert_eq!(shortest_loop(&backwards), Some((2, 3)));
        assert_eq!(shortest_loop(&[5; 10]), Some((1, 10)));
        assert_eq!(shortest_loop(&[1, 2, 3, 4, 5, 6]), None);
        assert_eq!(shortest_loop(&[]), None);
    }

    #[test]
    fn a_loop_may_be_cut_off() {
        // 3 1 2 | 3 1 2 | 3 1 2 | 3: the core stopped in the middle of a round.
        let run = [9, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3];
        let backwards: Vec<u64> = run.iter().rev().copied().collect();
        assert_eq!(shortest_loop(&backwards), Some((3, 3)));
    }
}
