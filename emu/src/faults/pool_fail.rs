//! `pool.fail`: an allocation from pool fails, as it does when memory is short.

use std::sync::Arc;

use super::rule::{Params, Which};
use super::{Fault, FaultKind, Request, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "pool.fail",
    help: "an allocation from pool fails",
    params: &[
        (
            "nth",
            "the nth matching allocation after the boot; the schedule decides if absent",
        ),
        ("every", "true: every matching allocation"),
        ("tag", "only blocks with this tag"),
        ("pool", "only from this pool: paged or nonpaged"),
    ],
    parse,
};

struct PoolFail {
    which: Which,
    tag: Option<[u8; 4]>,
    paged: Option<bool>,
}

fn parse(params: &Params<'_>) -> Result<Arc<dyn Fault>, RuleError> {
    let tag = match params.text("tag") {
        None => None,
        Some(text) if text.is_ascii() && (1..=4).contains(&text.len()) => {
            let mut tag = [b' '; 4];
            tag[..text.len()].copy_from_slice(text.as_bytes());
            Some(tag)
        }
        Some(text) => {
            return Err(params.error(format!(
                "a pool tag has one to four characters, not '{text}'"
            )));
        }
    };
    let paged = match params.text("pool").as_deref() {
        None => None,
        Some("paged") => Some(true),
        Some("nonpaged") => Some(false),
        Some(text) => {
            return Err(params.error(format!("pool must be paged or nonpaged, not '{text}'")));
        }
    };
    Ok(Arc::new(PoolFail {
        which: params.which()?,
        tag,
        paged,
    }))
}

impl Fault for PoolFail {
    fn allocation(&self, at: &mut Site<'_>, request: &Request) -> bool {
        let matches = self.tag.is_none_or(|t| t == request.tag)
            && self.paged.is_none_or(|p| p == request.paged);
        if !matches || !at.strikes(self.which) {
            return false;
        }
        let tag = crate::report::tag(request.tag);
        at.tell(
            "pool.fail",
            format!(
                "an allocation of {:#x} bytes, tag {tag}, fails",
                request.size
            ),
        );
        true
    }
}
