//! `memory.page_out`: pageable memory leaves: pageable sections of drivers, and paged pool.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};
use crate::machine::memory::{FRAME_SIZE, RegionKind};

pub(super) const KIND: FaultKind = FaultKind {
    name: "memory.page_out",
    help: "pageable memory leaves when the IRQL is raised to DISPATCH_LEVEL, or at a place",
    opportunity: Opportunity::Place,
    params: &[("what", "code, pool or all; all if absent")],
    narrows: &["what"],
    source: "Driver Verifier: Force IRQL Checking; Windows driver documentation: Making Drivers \
             Pageable",
    parse,
};

struct PageOut {
    code: bool,
    pool: bool,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let what = params.word("what", &["all", "code", "pool"])?;
    Ok(Box::new(PageOut {
        code: what != 2,
        pool: what != 1,
    }))
}

impl PageOut {
    fn strike(&self, at: &mut Site<'_>) {
        let mut pages = Vec::new();
        let unit = at.m.setup.profile.page_size();
        let locked = &at.m.state.nt.io.locked;
        for region in at.m.memory.regions() {
            let wanted = match region.kind {
                RegionKind::Image(_) => self.code,
                RegionKind::PagedPool => self.pool,
                _ => false,
            };
            if wanted {
                let all = region.pages.iter().enumerate();
                let leaving = all.filter(|(_, p)| p.valid && p.pageable && p.resident);
                let addresses = leaving.map(|(i, _)| region.base + (i * FRAME_SIZE) as u64);
                pages.extend(addresses.filter(|p| !locked.holds(p & !(unit - 1))));
            }
        }
        if pages.is_empty() || !at.strikes() {
            return;
        }
        at.tell(format!("{} pageable pages leave memory", pages.len()));
        pages.dedup_by_key(|p| *p & !(unit - 1));
        for page in pages {
            at.m.page_out(at.core, page);
        }
    }
}

impl Fault for PageOut {
    fn anywhere(&self) -> bool {
        false
    }

    fn reached(&self, at: &mut Site<'_>, _what: &str, _pc: Option<u64>) {
        self.strike(at);
    }

    fn raised(&self, at: &mut Site<'_>) {
        if !at.is_placed() {
            self.strike(at);
        }
    }
}
