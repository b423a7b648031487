//! `io.pend`: a request that was answered at once becomes pending and is answered later.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "io.pend",
    help: "IofCallDriver returns STATUS_PENDING at once, and the driver gets the IRP later",
    opportunity: Opportunity::Event,
    params: &[],
    narrows: &[],
    source: "Driver Verifier: Force Pending I/O Requests",
    parse,
};

struct IoPend;

fn parse(_: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(IoPend))
}

impl Fault for IoPend {
    fn dispatch(&self, at: &mut Site<'_>, irp: u64) -> bool {
        let strikes = at.strikes();
        if strikes {
            at.tell(format!(
                "IRP {irp:#x} is pending, and its driver gets it later"
            ));
        }
        strikes
    }
}
