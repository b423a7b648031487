//! `net.overlap`: the data of a TCP segment come in two that have some of it in common.

use super::super::rule::Params;
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
    source: "RFC 9293 3.10.7.4: a segment may hold data that have been received, and only what \
             is new is taken",
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
        let word = "comes in two segments that overlap";
        super::each_segment(at, &self.which, adapter, frames, word, |length| {
            // Both have bytes of their own, too.
            (length > self.by + 1).then(|| {
                let end = ((length / 2).max(self.by) + 1).min(length - 1);
                [0..end, end - self.by..length]
            })
        })
    }
}
