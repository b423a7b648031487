//! `net.duplicate`: a frame comes twice.

use super::super::rule::Params;
use super::{ADAPTER, Fault, FaultKind, Frames, NARROWS, Opportunity, PROTOCOL, RuleError, Site};

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.duplicate",
    help: "a frame comes twice",
    opportunity: Opportunity::Outside,
    params: &[ADAPTER, PROTOCOL],
    narrows: NARROWS,
    source: "RFC 1122 1.1.3: datagrams may arrive damaged, duplicated, out of order, or not at \
             all",
    parse,
};

struct Duplicate(Frames);

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(Duplicate(Frames::parse(params)?)))
}

impl Fault for Duplicate {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        super::each_frame(at, &self.0, adapter, frames, "comes twice", |_, frame| {
            vec![frame.clone(), frame]
        })
    }
}
