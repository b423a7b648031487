//! `net.corrupt`: a byte of a frame is another one.

use super::super::rule::Params;
use super::{ADAPTER, Fault, FaultKind, Frames, NARROWS, Opportunity, PROTOCOL, RuleError, Site};

pub(in super::super) const KIND: FaultKind = FaultKind {
    name: "net.corrupt",
    help: "a byte of a frame is another one, and the link's check did not see it",
    opportunity: Opportunity::Outside,
    params: &[
        (
            "at",
            "of the byte, from the frame's first one, 0 to 1513; 14 if absent",
        ),
        ("flip", "the bits that change, 1 to 255; 255 if absent"),
        ADAPTER,
        PROTOCOL,
    ],
    narrows: NARROWS,
    source: "Stone and Partridge, When the CRC and TCP Checksum Disagree, SIGCOMM 2000",
    parse,
};

struct Corrupt {
    which: Frames,
    offset: usize,
    flip: u8,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(Corrupt {
        which: Frames::parse(params)?,
        offset: params.within("at", 0..=1513, 14)? as usize,
        flip: params.within("flip", 1..=255, 255)? as u8,
    }))
}

impl Fault for Corrupt {
    fn frames(&self, at: &mut Site<'_>, adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        // A frame without that byte is no opportunity.
        let (long, short): (Vec<_>, Vec<_>) =
            frames.into_iter().partition(|f| f.len() > self.offset);
        let mut out = super::each_frame(at, &self.which, adapter, long, "corrupted", |_, frame| {
            let mut frame = frame;
            frame[self.offset] ^= self.flip;
            vec![frame]
        });
        out.extend(short);
        out
    }
}
