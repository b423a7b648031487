//! Kernel functions called at an IRQL that their documentation forbids. Most such calls go well
//! most of the time; the pool's are among them.

use super::finding::Finding;
use super::walk::{Observer, Walk, walk};
use super::{Oracle, spot};
use crate::machine::{Ended, Machine};
use crate::nt::{self, Contract};
use crate::trace::EventKind;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "api-irql",
    help: "kernel functions called at an IRQL that their documentation forbids",
    default_on: true,
    check,
};

const HELP: &str = "call it at a level that is allowed, or hand the work to a thread";

struct Calls<'a> {
    machine: &'a Machine,
    found: Vec<Finding>,
}

fn check(machine: &Machine, _ended: &Ended) -> Vec<Finding> {
    let found = Vec::new();
    let mut calls = Calls { machine, found };
    walk(machine, &mut calls);
    super::finding::grouped(calls.found)
}

fn allowed(contract: Contract) -> &'static str {
    match contract {
        Contract::Any => "any level",
        Contract::Passive => "PASSIVE_LEVEL only",
        Contract::Apc => "APC_LEVEL and below",
        Contract::Dispatch => "DISPATCH_LEVEL and below",
        Contract::ExactlyDispatch => "DISPATCH_LEVEL only",
        Contract::AtLeastDispatch => "DISPATCH_LEVEL and above",
    }
}

impl Observer for Calls<'_> {
    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        let EventKind::Call { name, .. } = &e.kind else {
            return;
        };
        let Some(api) = nt::find(name) else { return };
        let table = self.machine.irqls();
        if api.irql.allows(e.irql, table) {
            return;
        }
        let level = table.name(e.irql);
        let role = format!("calls {name} at {level} ({})", e.irql);
        let mut place = spot(self.machine, event, walk.actor(e.core), role);
        place.locks = walk.held(e.core).iter().map(|h| h.lock).collect();
        self.found.push(Finding {
            places: vec![place],
            help: HELP,
            rule: api.source,
            ..Finding::new(
                ORACLE.name,
                format!("{name} at {level}; allowed: {}", allowed(api.irql)),
            )
        });
    }
}
