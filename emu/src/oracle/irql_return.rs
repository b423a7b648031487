//! A routine that returns to the kernel at another IRQL than it was entered with.

use super::finding::Finding;
use super::walk::{Observer, Walk, walk};
use super::{Oracle, spot};
use crate::machine::{Ended, Machine};
use crate::trace::EventKind;

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "irql-return",
    help: "routines that return at another IRQL than they were entered with",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: Managing Hardware Priorities; \
                    Bug Check 0xC8 IRQL_UNEXPECTED_VALUE";
const HELP: &str = "put the IRQL back to what it was before the routine returns";

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

impl Observer for Returns<'_> {
    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        let EventKind::Leave { what, .. } = &e.kind else {
            return;
        };
        let actor = walk.actor(e.core);
        let Some(entered) = walk.activations(actor).last() else {
            return;
        };
        let before = walk.event_at(entered.event).irql;
        if before == e.irql {
            return;
        }
        let names = self.machine.irqls();
        let role = |verb: &str, irql: u8| format!("{verb} at {} ({irql})", names.name(irql));
        let mut first = spot(
            self.machine,
            entered.event,
            actor,
            role("is entered", before),
        );
        let mut second = spot(self.machine, event, actor, role("returns", e.irql));
        (first.pc, second.pc) = (entered.routine, entered.routine);
        second.locks = walk.held(e.core).iter().map(|h| h.lock).collect();
        self.found.push(Finding {
            places: vec![first, second],
            help: HELP,
            rule: RULE,
            ..Finding::new(
                ORACLE.name,
                format!(
                    "a {what} entered at IRQL {before} returns at IRQL {}",
                    e.irql
                ),
            )
        });
    }
}
