//! A core that takes a spin lock it holds. With several processors it spins for ever; with one the
//! lock is not there, and nothing happens until the driver runs on two.

use super::finding::{Finding, Object};
use super::walk::{Change, Observer, Walk, walk};
use super::{Oracle, spot};
use crate::machine::{Ended, Machine};

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "self-deadlock",
    help: "a spin lock taken by the core that holds it",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: KeAcquireSpinLock; \
                    Bug Check 0x0F SPIN_LOCK_ALREADY_OWNED";
const HELP: &str = "call what needs the lock after it is released, or pass on that it is held";

struct Twice<'a> {
    machine: &'a Machine,
    found: Vec<Finding>,
}

fn check(machine: &Machine, _ended: &Ended) -> Vec<Finding> {
    let found = Vec::new();
    let mut twice = Twice { machine, found };
    walk(machine, &mut twice);
    super::finding::grouped(twice.found)
}

impl Observer for Twice<'_> {
    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let core = walk.event_at(event).core;
        let Some(change) = walk.lock_change(event) else {
            return;
        };
        if change.mutex || change.change == Change::Released {
            return;
        }
        let held = walk.spin_locks(core).iter();
        let Some(hold) = held.copied().find(|h| h.lock == change.lock) else {
            return;
        };
        let mut again = spot(self.machine, event, change.actor, "takes it again");
        again.locks = walk.held(core).iter().map(|h| h.lock).collect();
        self.found.push(Finding {
            places: vec![
                spot(self.machine, hold.event, change.actor, "takes the lock"),
                again,
            ],
            object: Some(Object {
                address: change.lock,
                length: 0,
                what: "spin lock".into(),
            }),
            help: HELP,
            rule: RULE,
            ..Finding::new(
                ORACLE.name,
                "a core takes a spin lock that it holds already",
            )
        });
    }
}
