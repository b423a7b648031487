//! `net.split`: the data of a TCP segment come in two.

use super::super::rule::Params;
use super::{ADAPTER, Fault, FaultKind, Frames, Opportunity, RuleError, Site};

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.split",
    help: "the data of a TCP segment come in two segments",
    opportunity: Opportunity::Outside,
    params: &[
        ("at", "bytes in the first one, at least 1; half if absent"),
        ADAPTER,
    ],
    narrows: &["adapter"],
    source: "RFC 9293 3.7: a sender makes segments of its data as it sees fit",
    parse,
};

struct Split {
    which: Frames,
    at: Option<usize>,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let at = match params.text("at") {
        Some(_) => Some(params.within("at", 1..=1459, 1)? as usize),
        None => None,
    };
    let which = Frames::parse(params)?;
    Ok(Box::new(Split { which, at }))
}

impl Fault for Split {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let word = "comes in two segments";
        super::each_segment(at, &self.which, adapter, frames, word, |length| {
            let cut = self.at.unwrap_or(length / 2);
            (1..length).contains(&cut).then_some([0..cut, cut..length])
        })
    }
}
