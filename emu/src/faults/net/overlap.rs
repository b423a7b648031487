//! `net.overlap`: the data of a TCP segment come in two that have some of it in common.

use super::super::rule::Params;
use super::tcp::Segment;
use super::{ADAPTER, Fault, FaultKind, Frames, Opportunity, RuleError, Site};

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.overlap",
    help: "the data of a TCP segment come in two segments that overlap",
    opportunity: Opportunity::Outside,
    params: &[
        ("by", "bytes that both have, 1 to 1459; 1 if absent"),
        ADAPTER,
    ],
    narrows: &["adapter"],
    source: "RFC 9293 3.10.7.4: segments may overlap what was received, after a retransmission \
             with other boundaries",
    parse,
};

struct Overlap {
    which: Frames,
    by: usize,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let by = params.within("by", 1..=1459, 1)? as usize;
    let which = Frames::parse(params)?;
    Ok(Box::new(Overlap { which, by }))
}

impl Fault for Overlap {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for frame in frames {
            match Segment::of(&frame).filter(|s| s.length() > self.by + 1) {
                Some(segment) => {
                    // Both have bytes of their own, too.
                    let end = (segment.length() / 2).max(self.by) + 1;
                    let end = end.min(segment.length() - 1);
                    let word = "comes in two segments that overlap";
                    let parts = |_: &mut Site<'_>, frame: Vec<u8>| {
                        let first = segment.part(&frame, 0, end);
                        let second = segment.part(&frame, end - self.by, segment.length());
                        vec![first, second]
                    };
                    let one = vec![frame];
                    out.extend(super::each_frame(
                        at,
                        &self.which,
                        adapter,
                        one,
                        word,
                        parts,
                    ));
                }
                None => out.push(frame),
            }
        }
        out
    }
}
