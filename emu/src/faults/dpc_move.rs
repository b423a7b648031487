//! `time.dpc_move`: a DPC runs on another core than the one that queued it.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, Queued, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "time.dpc_move",
    help: "a driver's DPC that is for no certain core runs on another one",
    opportunity: Opportunity::Event,
    params: &[("to", "the core, from 0; the next one if absent")],
    narrows: &[],
    source: "Windows driver documentation: Organization of DPC Queues (without a target, a DPC \
             goes to the processor that is active when it is queued)",
    parse,
};

struct DpcMove {
    to: Option<u8>,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    if params.world.cpus < 2 {
        return Err(params.error("time.dpc_move needs a machine with two cores"));
    }
    let to = params.core("to")?;
    Ok(Box::new(DpcMove { to }))
}

impl Fault for DpcMove {
    fn dpc_queued(&self, at: &mut Site<'_>, queued: &mut Queued) {
        let next = (queued.target + 1) % at.m.cpus();
        let to = self.to.unwrap_or(next);
        if !queued.targeted && to != queued.target && at.strikes() {
            at.tell(format!(
                "a DPC runs on core {to} instead of {}",
                queued.target
            ));
            queued.target = to;
            queued.asked = true;
        }
    }
}
