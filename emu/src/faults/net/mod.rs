//! Faults of the network: what a wire, a switch or a miniport does to frames.

pub(super) mod burst;
pub(super) mod coalesce;
pub(super) mod corrupt;
pub(super) mod delay;
pub(super) mod drop;
pub(super) mod duplicate;
pub(super) mod no_buffers;
pub(super) mod overlap;
pub(super) mod reorder;
pub(super) mod split;
mod tcp;
pub(super) mod truncate;

use std::ops::Range;

use self::tcp::Segment;
use super::rule::{Params, RuleError};
use super::{Fault, FaultKind, Opportunity, Site};
use crate::scenario;

/// The frames that a rule may strike at.
struct Frames {
    adapter: Option<String>,
    protocol: usize,
}

/// The parameters that narrow them.
const ADAPTER: (&str, &str) = ("adapter", "only frames that arrive at this adapter");
const PROTOCOL: (&str, &str) = ("protocol", "only arp, ip, tcp or udp frames; any if absent");
const NARROWS: &[&str] = &["adapter", "protocol"];

impl Frames {
    fn parse(params: &Params<'_>) -> Result<Frames, RuleError> {
        let protocol = params.word("protocol", &["any", "arp", "ip", "tcp", "udp"])?;
        let adapter = params.text("adapter");
        Ok(Frames { adapter, protocol })
    }

    fn hold(&self, at: &Site<'_>, adapter: usize, frame: &[u8]) -> bool {
        let name = at.m.setup.plan.adapters.get(adapter).map(|a| &a.name);
        if self
            .adapter
            .as_ref()
            .is_some_and(|wanted| Some(wanted) != name)
        {
            return false;
        }
        let kind = frame.get(12..14);
        let transport = frame.get(23).copied();
        match self.protocol {
            0 => true,
            1 => kind == Some(&[8, 6]),
            2 => kind == Some(&[8, 0]),
            3 => kind == Some(&[8, 0]) && transport == Some(6),
            _ => kind == Some(&[8, 0]) && transport == Some(17),
        }
    }
}

/// Strikes at each frame that a rule may strike at; `change` gives what becomes of one.
fn each_frame(
    at: &mut Site<'_>,
    which: &Frames,
    adapter: usize,
    frames: Vec<Vec<u8>>,
    word: &str,
    mut change: impl FnMut(&mut Site<'_>, Vec<u8>) -> Vec<Vec<u8>>,
) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for frame in frames {
        if which.hold(at, adapter, &frame) && at.strikes() {
            at.tell(format!("{word}: {}", scenario::summary(&frame)));
            out.extend(change(at, frame));
        } else {
            out.push(frame);
        }
    }
    out
}

/// Strikes at each TCP segment that a rule may strike at and that `parts` divides: given the bytes of
/// its data, the two ranges of them that come instead, each in a segment of its own.
fn each_segment(
    at: &mut Site<'_>,
    which: &Frames,
    adapter: usize,
    frames: Vec<Vec<u8>>,
    word: &str,
    parts: impl Fn(usize) -> Option<[Range<usize>; 2]>,
) -> Vec<Vec<u8>> {
    let mut divided = |frame: Vec<u8>| {
        let divided = Segment::of(&frame).and_then(|s| Some((s, parts(s.length())?)));
        let one = vec![frame];
        match divided {
            Some((segment, parts)) => each_frame(at, which, adapter, one, word, |_, frame| {
                let part = |range: &Range<usize>| segment.part(&frame, range.start, range.end);
                parts.iter().map(part).collect()
            }),
            None => one,
        }
    };
    frames.into_iter().flat_map(&mut divided).collect()
}
