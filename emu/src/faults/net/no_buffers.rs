//! `net.no_buffers`: the miniport is short of receive buffers.

use super::super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.no_buffers",
    help: "the miniport wants a received packet back at once (NDIS_STATUS_RESOURCES)",
    opportunity: Opportunity::Outside,
    params: &[],
    narrows: &[],
    source: "Windows driver documentation: NDIS_GET_PACKET_STATUS, NDIS_STATUS_RESOURCES (a \
             protocol has to copy such a packet at once; NDIS 5)",
    parse,
};

struct NoBuffers;

fn parse(_: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(NoBuffers))
}

impl Fault for NoBuffers {
    fn lent(&self, at: &mut Site<'_>) -> bool {
        let strikes = at.strikes();
        if strikes {
            at.tell("a packet is indicated with NDIS_STATUS_RESOURCES".to_owned());
        }
        strikes
    }
}
