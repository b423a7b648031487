//! A lock that is still held when the routine that took it returns to the kernel, or when its
//! thread ends.

use super::finding::{Finding, Object, Spot};
use super::walk::{Hold, Observer, Walk, walk};
use super::{Oracle, spot};
use crate::choice::Actor;
use crate::machine::{Ended, Machine};
use crate::trace::EventKind;
use crate::trace::event::ThreadOp;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "lock-return",
    help: "locks still held when a routine returns to the kernel, or a thread ends",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: KeReleaseSpinLock; \
                    Driver Verifier, Deadlock Detection";
const HELP: &str = "release the lock on every path out of the routine";

struct Returns<'a> {
    machine: &'a Machine,
    found: Vec<Finding>,
}

fn check(machine: &Machine, _ended: &Ended) -> Vec<Finding> {
    let found = Vec::new();
    let mut returns = Returns { machine, found };
    walk(machine, &mut returns);
    super::finding::grouped(returns.found)
}

impl Returns<'_> {
    fn found(&mut self, hold: Hold, actor: Actor, what: String, end: Spot) {
        let taken = spot(self.machine, hold.event, actor, "takes the lock");
        self.found.push(Finding {
            places: vec![taken, end],
            object: Some(Object {
                address: hold.lock,
                length: 0,
                what: if hold.mutex { "mutex" } else { "spin lock" }.into(),
            }),
            help: HELP,
            rule: RULE,
            ..Finding::new(ORACLE.name, what)
        });
    }
}

impl Observer for Returns<'_> {
    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        match &e.kind {
            EventKind::Leave { what, .. } => {
                let actor = walk.actor(e.core);
                let Some(entered) = walk.activations(actor).last().copied() else {
                    return;
                };
                for &hold in walk.spin_locks(e.core) {
                    // What was taken before is the caller's.
                    if hold.taken < entered.event {
                        continue;
                    }
                    let mut end = spot(self.machine, event, actor, "returns to the kernel");
                    end.pc = entered.routine;
                    end.locks = walk.held(e.core).iter().map(|h| h.lock).collect();
                    let what = format!("a {what} returns with a spin lock held");
                    self.found(hold, actor, what, end);
                }
            }
            EventKind::Thread {
                op: ThreadOp::Ended,
                thread,
            } => {
                let spins = walk.spin_locks(e.core).iter();
                let held: Vec<Hold> = walk.mutexes(*thread).iter().chain(spins).copied().collect();
                for hold in held {
                    let actor = Actor::Thread(*thread);
                    let end = spot(self.machine, event, actor, "ends");
                    let kind = if hold.mutex { "mutex" } else { "spin lock" };
                    self.found(
                        hold,
                        actor,
                        format!("a thread ends with a {kind} held"),
                        end,
                    );
                }
            }
            _ => {}
        }
    }
}
