//! `net.coalesce`: the data of two TCP segments come in one.

use super::super::rule::Params;
use super::tcp::Segment;
use super::{ADAPTER, Fault, FaultKind, Frames, Opportunity, RuleError, Site};
use crate::nt::ndis;
use crate::scenario;

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.coalesce",
    help: "the data of two TCP segments that follow each other come in one",
    opportunity: Opportunity::Outside,
    params: &[ADAPTER],
    narrows: &["adapter"],
    source: "RFC 9293 3.7; Windows driver documentation: Overview of Receive Segment \
             Coalescing; that the first one waits a moment for the next is irqlab's own",
    parse,
};

/// How long the first one waits for the second, in 100 ns: a millisecond.
const WAIT: u64 = 10_000;

struct Coalesce(Frames);

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(Coalesce(Frames::parse(params)?)))
}

impl Fault for Coalesce {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let most = 14 + usize::from(at.m.setup.plan.adapters[adapter].mtu);
        let mut out = Vec::new();
        for frame in frames {
            let together = |first: &[u8]| Segment::of(first)?.with(first, &frame, most);
            if let Some(both) = ndis::join_held_up(at.m, adapter, together) {
                at.tell(format!(
                    "comes in one segment: {}",
                    scenario::summary(&both)
                ));
                out.push(both);
                continue;
            }
            // The first of two strikes, the second follows from it.
            let data = Segment::of(&frame).is_some_and(|s| s.length() > 0);
            if data && self.0.hold(at, adapter, &frame) && at.strikes() {
                at.tell(format!("waits for the next: {}", scenario::summary(&frame)));
                ndis::hold_up(at.m, adapter, frame, WAIT);
            } else {
                out.push(frame);
            }
        }
        out
    }
}
