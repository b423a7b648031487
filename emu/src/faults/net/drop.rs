//! `net.drop`: a frame is lost.

use super::super::rule::Params;
use super::{ADAPTER, Fault, FaultKind, Frames, NARROWS, Opportunity, PROTOCOL, RuleError, Site};

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.drop",
    help: "a frame that comes to an adapter is lost",
    opportunity: Opportunity::Outside,
    params: &[ADAPTER, PROTOCOL],
    narrows: NARROWS,
    source: "RFC 1122 1.1.3: datagrams may arrive damaged, duplicated, out of order, or not at \
             all",
    parse,
};

struct Drop(Frames);

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(Drop(Frames::parse(params)?)))
}

impl Fault for Drop {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        super::each_frame(at, &self.0, adapter, frames, "lost", |_, _| Vec::new())
    }
}
