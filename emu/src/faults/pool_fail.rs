//! `pool.fail`: an allocation from pool fails, as it does when memory is short.

use std::hash::{Hash, Hasher};

use twox_hash::XxHash3_64;

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, Request, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "pool.fail",
    help: "an allocation from pool, or of a packet descriptor of NDIS, fails",
    opportunity: Opportunity::Event,
    params: &[
        ("tag", "only blocks with this tag"),
        ("pool", "only from this pool: paged or nonpaged"),
        (
            "each_stack",
            "true: only the first allocation from each call stack is an opportunity, so that nth \
             and every count stacks",
        ),
    ],
    narrows: &["tag", "pool", "each_stack"],
    source: "Driver Verifier: Low Resources Simulation; each_stack: Systematic Low Resources \
             Simulation",
    parse,
};

/// What narrows the allocations of a rule.
pub(super) struct Blocks {
    tag: Option<[u8; 4]>,
    paged: Option<bool>,
}

impl Blocks {
    pub fn parse(params: &Params<'_>) -> Result<Blocks, RuleError> {
        let paged = match params.text("pool").as_deref() {
            None => None,
            Some("paged") => Some(true),
            Some("nonpaged") => Some(false),
            Some(text) => {
                return Err(params.error(format!("pool must be paged or nonpaged, not '{text}'")));
            }
        };
        let tag = params.tag()?;
        Ok(Blocks { tag, paged })
    }

    pub fn holds(&self, request: &Request) -> bool {
        self.tag.is_none_or(|t| t == request.tag) && self.paged.is_none_or(|p| p == request.paged)
    }
}

struct PoolFail {
    blocks: Blocks,
    each_stack: bool,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(PoolFail {
        blocks: Blocks::parse(params)?,
        each_stack: params.flag("each_stack")?,
    }))
}

/// Whether the rule has allocated from this call stack before; it is known by its return addresses.
fn seen_before(at: &mut Site<'_>) -> bool {
    let mut hasher = XxHash3_64::new();
    for frame in at.m.backtrace(at.core) {
        frame.pc.hash(&mut hasher);
    }
    let stack = hasher.finish();
    !at.progress().stacks.insert(stack)
}

impl Fault for PoolFail {
    fn allocation(&self, at: &mut Site<'_>, request: &Request) -> bool {
        if !self.blocks.holds(request) || !at.is_time() {
            return false;
        }
        if self.each_stack && seen_before(at) || !at.strikes() {
            return false;
        }
        let tag = crate::report::tag(request.tag);
        at.tell(format!(
            "an allocation of {:#x} bytes, tag {tag}, fails",
            request.size
        ));
        true
    }
}
