//! `memory.page_out`: pageable memory leaves: pageable sections of drivers, and paged pool.

use std::sync::Arc;

use super::rule::{Params, Which};
use super::{Fault, FaultKind, RuleError, Site};
use crate::machine::memory::{FRAME_SIZE, RegionKind};

pub(super) const KIND: FaultKind = FaultKind {
    name: "memory.page_out",
    help: "pageable memory leaves when the IRQL is raised, or when a routine begins",
    params: &[
        (
            "routine",
            "when this function of a driver begins; else at raises to DISPATCH_LEVEL",
        ),
        ("what", "code, pool or all; all if absent"),
        (
            "nth",
            "the nth opportunity after the boot; the schedule decides if absent",
        ),
        ("every", "true: every opportunity"),
    ],
    parse,
};

struct PageOut {
    routine: Option<String>,
    code: bool,
    pool: bool,
    which: Which,
}

fn parse(params: &Params<'_>) -> Result<Arc<dyn Fault>, RuleError> {
    let (code, pool) = match params.text("what").as_deref() {
        None | Some("all") => (true, true),
        Some("code") => (true, false),
        Some("pool") => (false, true),
        Some(text) => {
            return Err(params.error(format!("what must be code, pool or all, not '{text}'")));
        }
    };
    let routine = params.text("routine");
    Ok(Arc::new(PageOut {
        routine,
        code,
        pool,
        which: params.which()?,
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
        if pages.is_empty() || !at.strikes(self.which) {
            return;
        }
        at.tell(
            "memory.page_out",
            format!("{} pageable pages leave memory", pages.len()),
        );
        pages.dedup_by_key(|p| *p & !(unit - 1));
        for page in pages {
            at.m.page_out(at.core, page);
        }
    }
}

impl Fault for PageOut {
    fn routine(&self) -> Option<&str> {
        self.routine.as_deref()
    }

    fn at(&self, at: &mut Site<'_>, pc: u64) {
        if at.begins(pc) {
            self.strike(at);
        }
    }

    fn raised(&self, at: &mut Site<'_>) {
        if self.routine.is_none() {
            self.strike(at);
        }
    }
}
