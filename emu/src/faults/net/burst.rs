//! `net.burst`: frames come all at once.

use super::super::rule::Params;
use super::{ADAPTER, Fault, FaultKind, Frames, NARROWS, Opportunity, PROTOCOL, RuleError, Site};
use crate::nt::ndis;

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.burst",
    help: "what is on the way to an adapter arrives at once, on one core",
    opportunity: Opportunity::Outside,
    params: &[
        ("count", "further frames, 1 to 1000; 16 if absent"),
        ADAPTER,
        PROTOCOL,
    ],
    narrows: NARROWS,
    source: "Windows driver documentation: Interrupt Moderation (one interrupt for several \
             frames)",
    parse,
};

struct Burst {
    which: Frames,
    count: u64,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(Burst {
        which: Frames::parse(params)?,
        count: params.within("count", 1..=1000, 16)?,
    }))
}

impl Fault for Burst {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        // Those that come in a burst begin none.
        if at.progress().left > 0 {
            return frames;
        }
        let word = "a burst begins";
        super::each_frame(at, &self.which, adapter, frames, word, |at, frame| {
            let core = at.core as u8;
            // The frame itself is ahead of those that come with it.
            ndis::receive(at.m, adapter, at.core, frame);
            at.progress().left = self.count;
            while at.progress().left > 0 {
                let ready = ndis::next_of(at.m, adapter);
                let Some(stream) = ready else { break };
                ndis::arrive(at.m, stream, core);
                at.progress().left -= 1;
            }
            at.progress().left = 0;
            Vec::new()
        })
    }
}
