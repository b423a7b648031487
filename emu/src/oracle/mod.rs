//! Oracles: what is wrong with a recorded run, whether or not it came out badly.
//!
//! An oracle is a function over a machine that was booted with [`Watch::Recording`] and has run. It
//! changes nothing and runs nothing; most walk the record from its beginning ([`walk`]) and keep
//! what they need. A new one is a file here and a line in [`ORACLES`].
//!
//! [`Watch::Recording`]: crate::machine::Watch::Recording

mod clock;
mod code;
mod deadlock;
mod finding;
mod livelock;
mod lock_order;
mod order;
mod overrun;
mod pool;
mod race;
mod select;
mod shadow;
mod stacks;
mod tell;
#[cfg(test)]
mod tests;
mod unprotected;
mod use_after_free;
pub mod walk;

pub(crate) use finding::grouped;
pub use finding::{Access, Finding, Object, OtherOrder, Spot};
pub use race::racy_pcs;
pub use select::{Unknown, select};
pub use tell::{Told, ToldPlace, render, tell};
pub use unprotected::unprotected_pcs;

use crate::choice::Actor;
use crate::machine::{Ended, Machine};

/// An oracle.
#[derive(Clone, Copy)]
pub struct Oracle {
    /// Its name in scenarios and on the command line.
    pub name: &'static str,
    /// What it reports, in one line.
    pub help: &'static str,
    /// Whether it is asked unless somebody says otherwise.
    pub default_on: bool,
    /// Looks at a recorded run and how it ended.
    pub check: fn(&Machine, &Ended) -> Vec<Finding>,
}

/// All oracles, in the order in which their findings are told.
pub const ORACLES: &[Oracle] = &[
    deadlock::ORACLE,
    use_after_free::ORACLE,
    overrun::ORACLE,
    lock_order::ORACLE,
    race::ORACLE,
    livelock::ORACLE,
];

/// The oracle of that name.
pub fn find(name: &str) -> Option<&'static Oracle> {
    ORACLES.iter().find(|o| o.name == name)
}

/// The oracles that are on by default.
pub fn defaults() -> Vec<&'static Oracle> {
    ORACLES.iter().filter(|o| o.default_on).collect()
}

/// What the oracles find in a recorded run, in their order. Nothing if the run was not recorded.
pub fn check(machine: &Machine, ended: &Ended, which: &[&Oracle]) -> Vec<Finding> {
    if !machine.recorder.keeps() {
        return Vec::new();
    }
    let all = which.iter().map(|oracle| (oracle.check)(machine, ended));
    all.flatten().collect()
}

/// The place of an event.
pub(crate) fn spot(machine: &Machine, event: usize, actor: Actor, role: impl Into<String>) -> Spot {
    let e = &machine.recorder.events()[event];
    let pc = place_of(machine, event);
    let stack = machine.recorder.stack(event).unwrap_or_default();
    // The innermost is the event's own place; below the outermost is the kernel.
    let stack = stack.iter().copied();
    let stack = stack.filter(|&r| r != pc + 1 && machine.in_driver(r).is_some());
    Spot {
        role: role.into(),
        position: e.at,
        core: e.core,
        actor,
        irql: e.irql,
        pc,
        stack: stack.collect(),
        access: None,
        locks: Vec::new(),
    }
}

/// The address in driver code of what caused an event. A kernel function that a routine has jumped
/// to, as the last thing that it does, returns to the kernel: then it is the jump.
fn place_of(machine: &Machine, event: usize) -> u64 {
    let e = &machine.recorder.events()[event];
    if e.pc == 0 || machine.in_driver(e.pc).is_some() {
        return e.pc;
    }
    let last = (machine.retired_at(e.at) as usize).checked_sub(1);
    let last = last.and_then(|i| machine.path().get(i));
    last.filter(|(core, _)| *core == e.core)
        .map_or(e.pc, |(_, pc)| *pc)
}

/// The place of an access, still without its stack.
fn accessed(walk: &walk::Walk<'_>, access: usize) -> Spot {
    let a = walk.machine.accesses()[access];
    let verb = if a.write { "writes" } else { "reads" };
    Spot {
        role: format!("{verb} {} bytes", a.width),
        position: walk.machine.position_of_access(&a),
        core: a.core,
        actor: walk.actor(a.core),
        irql: walk.irql(a.core),
        pc: a.pc,
        stack: Vec::new(),
        access: Some(Access {
            address: a.address,
            length: u64::from(a.width),
            write: a.write,
            atomic: false,
        }),
        locks: walk.held(a.core).iter().map(|h| h.lock).collect(),
    }
}

/// Gives places that are accesses their stacks.
fn add_stacks(machine: &Machine, findings: &mut [Finding]) {
    let index = |s: &Spot| {
        let wants = s.access.is_some() && s.stack.is_empty();
        wants.then(|| machine.path_index(s.position, s.core, s.pc))?
    };
    let places = || findings.iter().flat_map(|f| &f.places);
    let wanted = places().filter_map(index).collect();
    let stacks = stacks::at(machine, &wanted);
    for place in findings.iter_mut().flat_map(|f| &mut f.places) {
        if let Some(stack) = index(place).and_then(|i| stacks.get(&i)) {
            place.stack.clone_from(stack);
        }
    }
}
