//! `time.dpc_twice`: a DPC is queued again, for another core, while it begins.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "time.dpc_twice",
    help: "a driver's DPC is queued once more, to the next core, when it begins",
    opportunity: Opportunity::Outside,
    params: &[],
    narrows: &[],
    source: "Windows driver documentation: KeSetTimerEx (the DPC of a periodic timer can be \
             running on two processors at once)",
    parse,
};

struct DpcTwice;

fn parse(_: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(DpcTwice))
}

impl Fault for DpcTwice {
    fn dpc_begins(&self, at: &mut Site<'_>, _dpc: u64) -> bool {
        let strikes = at.strikes();
        if strikes {
            at.tell("a DPC is queued again while it begins".to_owned());
        }
        strikes
    }
}
