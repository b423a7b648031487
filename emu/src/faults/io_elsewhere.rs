//! `io.elsewhere`: a pending IRP is completed on another core.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "io.elsewhere",
    help: "an IRP that was marked pending is completed by a DPC of another core",
    opportunity: Opportunity::Event,
    params: &[("to", "the core, from 0; the next one if absent")],
    narrows: &[],
    source: "Windows driver documentation: IoMarkIrpPending (another routine may complete the \
             IRP before the dispatch routine returns)",
    parse,
};

struct IoElsewhere {
    to: Option<u8>,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    if params.world.cpus < 2 {
        return Err(params.error("io.elsewhere needs a machine with two cores"));
    }
    let to = params.core("to")?;
    Ok(Box::new(IoElsewhere { to }))
}

impl Fault for IoElsewhere {
    fn complete(&self, at: &mut Site<'_>, irp: u64) -> Option<u8> {
        let next = (at.core as u8 + 1) % at.m.cpus();
        let to = self.to.unwrap_or(next);
        if usize::from(to) == at.core || !at.strikes() {
            return None;
        }
        at.tell(format!("IRP {irp:#x} is completed on core {to}"));
        Some(to)
    }
}
