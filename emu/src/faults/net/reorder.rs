//! `net.reorder`: a frame is overtaken.

use super::super::rule::Params;
use super::{ADAPTER, Fault, FaultKind, Frames, NARROWS, Opportunity, PROTOCOL, RuleError, Site};
use crate::nt::ndis;

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.reorder",
    help: "a frame comes behind the others that are on the way to the adapter",
    opportunity: Opportunity::Outside,
    params: &[ADAPTER, PROTOCOL],
    narrows: NARROWS,
    source: "RFC 1122 1.1.3: datagrams may arrive damaged, duplicated, out of order, or not at \
             all; Paxson, End-to-End Internet Packet Dynamics, 1997",
    parse,
};

struct Reorder(Frames);

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(Reorder(Frames::parse(params)?)))
}

impl Fault for Reorder {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        super::each_frame(at, &self.0, adapter, frames, "is overtaken", |at, frame| {
            ndis::put_back(at.m, adapter, frame);
            Vec::new()
        })
    }
}
