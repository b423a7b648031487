//! `irql.ipi_late`: a core hears late that another one has queued a DPC to it.

use super::rule::Params;
use super::stall::ticks;
use super::{Fault, FaultKind, Opportunity, Queued, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "irql.ipi_late",
    help: "the interrupt that asks another core to run its DPCs arrives late",
    opportunity: Opportunity::Event,
    params: &[(
        "steps",
        "how late, in the time of so many instructions; 10000 if absent",
    )],
    narrows: &[],
    source: "irqlab's own: the other processor takes the interrupt when it can. Windows driver \
             documentation: Organization of DPC Queues (when a processor is asked); Intel SDM \
             vol. 3, Local APIC (a masked interrupt is held pending)",
    parse,
};

struct IpiLate {
    ticks: u64,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let ticks = ticks(params)?;
    Ok(Box::new(IpiLate { ticks }))
}

impl Fault for IpiLate {
    fn dpc_queued(&self, at: &mut Site<'_>, queued: &mut Queued) {
        if queued.asked && queued.remote && at.strikes() {
            queued.late_until = at.m.now() + self.ticks;
            at.tell(format!("core {} hears late of its DPC", queued.target));
        }
    }
}
