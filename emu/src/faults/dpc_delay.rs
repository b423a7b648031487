//! `time.dpc_delay`: a DPC waits although its core could run it.

use super::rule::Params;
use super::stall::ticks;
use super::{Fault, FaultKind, Opportunity, Queued, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "time.dpc_delay",
    help: "a driver's DPC, and what is queued behind it, begins late",
    opportunity: Opportunity::Event,
    params: &[(
        "steps",
        "how late, in the time of so many instructions; 10000 if absent",
    )],
    narrows: &[],
    source: "Windows driver documentation: Organization of DPC Queues (processing may be \
             deferred until the depth and rate of the queue ask for it)",
    parse,
};

struct DpcDelay {
    ticks: u64,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let ticks = ticks(params)?;
    Ok(Box::new(DpcDelay { ticks }))
}

impl Fault for DpcDelay {
    fn dpc_queued(&self, at: &mut Site<'_>, queued: &mut Queued) {
        if at.strikes() {
            queued.late_until = at.m.now() + self.ticks;
            at.tell(format!("a DPC of core {} is delayed", queued.target));
        }
    }
}
