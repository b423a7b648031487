//! `time.stall`: a core does nothing for a while.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};
use crate::machine::INSTRUCTIONS_PER_TICK;
use crate::stop::Stop;

pub(super) const KIND: FaultKind = FaultKind {
    name: "time.stall",
    help: "a core stands still for a while, whatever its IRQL",
    opportunity: Opportunity::Place,
    params: &[(
        "steps",
        "for the time of so many instructions; 10000 if absent",
    )],
    narrows: &[],
    source: "irqlab's own: what the processor does unseen. Intel SDM vol. 3, System Management \
             Mode; VMware, Timekeeping in VMware Virtual Machines (a virtual processor is \
             descheduled)",
    parse,
};

struct Stall {
    ticks: u64,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let ticks = ticks(params)?;
    Ok(Box::new(Stall { ticks }))
}

/// The parameter `steps` as time in 100 ns, at least one.
pub(super) fn ticks(params: &Params<'_>) -> Result<u64, RuleError> {
    let steps = params.within("steps", 1..=1_000_000_000, 10_000)?;
    Ok(steps.div_ceil(INSTRUCTIONS_PER_TICK))
}

impl Fault for Stall {
    fn interrupts(&self, at: &mut Site<'_>, what: &str) -> Result<bool, Box<Stop>> {
        if !at.strikes() {
            return Ok(false);
        }
        at.tell(format!("core {} stands still at {what}", at.core));
        let until = at.m.now() + self.ticks;
        at.m.state.cores[at.core].stalled = until;
        Ok(true)
    }
}
