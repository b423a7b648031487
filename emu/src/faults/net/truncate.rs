//! `net.truncate`: the end of a frame is missing.

use super::super::rule::Params;
use super::{ADAPTER, Fault, FaultKind, Frames, NARROWS, Opportunity, PROTOCOL, RuleError, Site};

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.truncate",
    help: "the end of a frame is missing",
    opportunity: Opportunity::Outside,
    params: &[
        (
            "length",
            "bytes that are left, 14 to 1514; half of the payload if absent",
        ),
        ADAPTER,
        PROTOCOL,
    ],
    narrows: NARROWS,
    source: "RFC 1812 5.2.2: what the link layer delivers may be shorter than the datagram says \
             that it is",
    parse,
};

struct Truncate {
    which: Frames,
    length: Option<usize>,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let length = match params.text("length") {
        Some(_) => Some(params.within("length", 14..=1514, 14)? as usize),
        None => None,
    };
    let which = Frames::parse(params)?;
    Ok(Box::new(Truncate { which, length }))
}

impl Fault for Truncate {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        super::each_frame(at, &self.which, adapter, frames, "cut short", |_, frame| {
            let half = 14 + frame.len().saturating_sub(14) / 2;
            let mut frame = frame;
            frame.truncate(self.length.unwrap_or(half));
            vec![frame]
        })
    }
}
