//! Rules about pageable memory: nothing that may leave memory is touched where a page fault cannot
//! be waited for, whether or not it is in memory then. Driver Verifier finds such accesses by
//! taking the pages out (Force IRQL Checking); here the access itself is seen.

use super::{Breach, Level, Levels, Param, Rule, broken, what};
use crate::machine::Machine;
use crate::machine::memory::RegionKind;
use crate::stop::{Access, Stop};

/// As of a page fault at DISPATCH_LEVEL: 0xA, which the kernels that blame drivers make 0xD1.
const ACCESS: [Param; 4] = [
    what("address"),
    what("current IRQL"),
    what("0 a load, 1 a store, 8 a fetch"),
    what("instruction"),
];

/// Code.
pub static CODE: Rule = Rule {
    name: "page-code",
    help: "no pageable code runs at DISPATCH_LEVEL or above",
    mend: "take the routine out of the PAGE section, or lock the section",
    code: 0x0A,
    params: ACCESS,
    source: "Bug Check 0xD1; Driver Verifier, Force IRQL Checking; Making Drivers Pageable",
};

/// Data.
pub static DATA: Rule = Rule {
    name: "page-data",
    help: "no pageable memory is touched at DISPATCH_LEVEL or above",
    mend: "use nonpaged pool, or lock the pages, or do it before the IRQL is raised",
    code: 0x0A,
    params: ACCESS,
    source: "Bug Check 0xD1; Driver Verifier, Force IRQL Checking; When Should Code and Data Be \
             Pageable",
};

/// Whether such accesses have to be seen at these levels.
pub(crate) fn watched(levels: &Levels, recording: bool) -> bool {
    let most = levels.of(&CODE).max(levels.of(&DATA));
    most == Level::Stop || most == Level::Warn && recording
}

/// A core that may not wait for pages touches pageable memory that is there.
pub(crate) fn touched(
    m: &mut Machine,
    core: usize,
    va: u64,
    access: Access,
    pc: u64,
) -> Result<(), Box<Stop>> {
    let page = va & !(m.setup.profile.page_size() - 1);
    if m.state.nt.io.locked.holds(page) {
        return Ok(());
    }
    let irql = m.state.cores[core].irql;
    let (rule, verb, op) = match access {
        Access::Read => (&DATA, "reads", 0),
        Access::Write => (&DATA, "writes", 1),
        Access::Execute => (&CODE, "runs", 8),
    };
    let what = match m.memory.region(va).map(|r| r.kind) {
        Some(RegionKind::PagedPool) => "paged pool",
        Some(RegionKind::User) => "user memory",
        _ if access == Access::Execute => "pageable code",
        _ => "pageable data",
    };
    let breach = Breach {
        rule,
        values: &[va, u64::from(irql), op, pc],
        object: va,
        pc: Some(pc),
        what: format!("{verb} {what} at {}", m.irqls().name(irql)),
    };
    broken(m, core, breach)
}
