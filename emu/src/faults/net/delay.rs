//! `net.delay`: a frame comes later.

use super::super::rule::Params;
use super::{ADAPTER, Fault, FaultKind, Frames, NARROWS, Opportunity, PROTOCOL, RuleError, Site};
use crate::nt::ndis;

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.delay",
    help: "a frame is held up on its way",
    opportunity: Opportunity::Outside,
    params: &[
        ("ms", "for so many milliseconds, 1 to 600000; 100 if absent"),
        ADAPTER,
        PROTOCOL,
    ],
    narrows: NARROWS,
    source: "RFC 9293 3.8.1: the networks vary so much that the time-out has to follow them",
    parse,
};

struct Delay {
    which: Frames,
    ms: u64,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(Delay {
        which: Frames::parse(params)?,
        ms: params.within("ms", 1..=600_000, 100)?,
    }))
}

impl Fault for Delay {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let word = format!("held up for {} ms", self.ms);
        super::each_frame(at, &self.which, adapter, frames, &word, |at, frame| {
            ndis::hold_up(at.m, adapter, frame, self.ms * 10_000);
            Vec::new()
        })
    }
}
