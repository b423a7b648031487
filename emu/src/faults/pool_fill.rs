//! `pool.fill`: memory that a driver allocates is full of something.

use super::pool_fail::Blocks;
use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, Request, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "pool.fill",
    help: "allocated memory is full of a pattern",
    opportunity: Opportunity::Event,
    params: &[
        ("byte", "the pattern, 0 to 255; 205 (0xCD) if absent"),
        ("tag", "only blocks with this tag"),
        ("pool", "only from this pool: paged or nonpaged"),
    ],
    narrows: &["tag", "pool"],
    source: "Windows driver documentation: ExAllocatePoolWithTag (the memory is uninitialized)",
    parse,
};

struct PoolFill {
    blocks: Blocks,
    byte: u8,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    Ok(Box::new(PoolFill {
        blocks: Blocks::parse(params)?,
        byte: params.within("byte", 0..=255, 0xCD)? as u8,
    }))
}

impl Fault for PoolFill {
    fn allocated(&self, at: &mut Site<'_>, request: &Request, block: u64) {
        if !self.blocks.holds(request) || !at.strikes() {
            return;
        }
        let tag = crate::report::tag(request.tag);
        at.tell(format!(
            "an allocation of {:#x} bytes, tag {tag}, is full of {:#04x}",
            request.size, self.byte
        ));
        at.m.memory
            .write(block, &vec![self.byte; request.size as usize]);
    }
}
