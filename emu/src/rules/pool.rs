//! Rules about pool.

use std::ops::Range;

use super::{Breach, Rule, broken, by_call, kind};
use crate::machine::Machine;
use crate::nt::{layout, pool};
use crate::report::tag;
use crate::stop::Stop;

/// Nothing is no size.
pub static ZERO: Rule = Rule {
    name: "pool-zero",
    help: "an allocation is not of zero bytes",
    mend: "ask for no pool where none is needed",
    code: 0xC4,
    params: kind(0x00, ["current IRQL", "pool type", ""]),
    source: "Bug Check 0xC4, 0x00; ExAllocatePoolWithTag",
};

/// Paged pool.
pub static PAGED_IRQL: Rule = Rule {
    name: "pool-paged-irql",
    help: "paged pool is allocated at APC_LEVEL or below",
    mend: "allocate nonpaged pool, or before the IRQL is raised",
    code: 0xC4,
    params: kind(0x01, ["current IRQL", "pool type", "bytes"]),
    source: "Bug Check 0xC4, 0x01; ExAllocatePoolWithTag",
};

/// Nonpaged pool.
pub static NONPAGED_IRQL: Rule = Rule {
    name: "pool-nonpaged-irql",
    help: "nonpaged pool is allocated at DISPATCH_LEVEL or below",
    mend: "allocate before the IRQL is raised, or in a DPC",
    code: 0xC4,
    params: kind(0x02, ["current IRQL", "pool type", "bytes"]),
    source: "Bug Check 0xC4, 0x02; ExAllocatePoolWithTag",
};

/// Freeing paged pool.
pub static FREE_PAGED_IRQL: Rule = Rule {
    name: "pool-free-paged-irql",
    help: "paged pool is freed at APC_LEVEL or below",
    mend: "free it before the IRQL is raised, or in a thread",
    code: 0xC4,
    params: kind(0x11, ["current IRQL", "pool type", "block"]),
    source: "Bug Check 0xC4, 0x11; ExFreePool",
};

/// Freeing nonpaged pool.
pub static FREE_NONPAGED_IRQL: Rule = Rule {
    name: "pool-free-nonpaged-irql",
    help: "nonpaged pool is freed at DISPATCH_LEVEL or below",
    mend: "free it in a DPC",
    code: 0xC4,
    params: kind(0x12, ["current IRQL", "pool type", "block"]),
    source: "Bug Check 0xC4, 0x12; ExFreePool",
};

/// What was never allocated.
pub static NOT_ALLOCATED: Rule = Rule {
    name: "pool-not-allocated",
    help: "an address that is freed came from an allocation",
    mend: "free what the allocation gave, and nothing inside of it",
    code: 0xC4,
    params: kind(0x10, ["address", "", ""]),
    source: "Bug Check 0xC4, 0x10; ExFreePool",
};

/// What was freed before.
pub static DOUBLE_FREE: Rule = Rule {
    name: "pool-double-free",
    help: "a block is freed once",
    mend: "give the block one owner, who frees it",
    code: 0xC4,
    params: kind(0x13, ["", "block", ""]),
    source: "Bug Check 0xC4, 0x13; ExFreePool",
};

/// Tags.
pub static TAG: Rule = Rule {
    name: "pool-tag",
    help: "ExFreePoolWithTag is given the tag with which the block was allocated",
    mend: "free a block with its own tag",
    code: 0xC2,
    params: kind(0x0A, ["block", "tag of the block", "tag given"]),
    source: "Bug Check 0xC2, 0x0A; ExFreePoolWithTag",
};

/// Bytes behind a block.
pub static OVERRUN: Rule = Rule {
    name: "pool-overrun",
    help: "nothing is written past the end of a block, as is seen when it is freed",
    mend: "compare every length with the size of the block before writing",
    code: 0xC4,
    params: kind(
        0x51,
        ["block", "first byte written behind it", "size of the block"],
    ),
    source: "Bug Check 0xC4, 0x51; Driver Verifier, Pool Tracking",
};

/// Pool that outlives its driver.
pub static LEAK: Rule = Rule {
    name: "pool-leak",
    help: "a driver has freed its pool when its unload routine returns",
    mend: "free it in the unload routine, or when what it was for ends",
    code: 0xC4,
    params: kind(
        0x62,
        ["name of the driver", "", "blocks that were not freed"],
    ),
    source: "Bug Check 0xC4, 0x62; Writing an Unload Routine",
};

const PAGED: u64 = 1;

/// A driver asks for pool.
pub(crate) fn asked(
    m: &mut Machine,
    core: usize,
    pool_type: u64,
    size: u64,
) -> Result<(), Box<Stop>> {
    let irql = m.state.cores[core].irql;
    let level = u64::from(irql);
    if size == 0 {
        let what = "asks for zero bytes of pool";
        by_call(m, core, &ZERO, &[level, pool_type], 0, what)?;
    }
    if pool_type & PAGED != 0 && irql > m.irqls().apc {
        let what = format!("asks for paged pool at {}", m.irqls().name(irql));
        by_call(m, core, &PAGED_IRQL, &[level, pool_type, size], 0, what)?;
    }
    Ok(())
}

/// A driver frees a block above DISPATCH_LEVEL. Of paged pool [`freed`] tells.
pub(super) fn freed_too_high(m: &mut Machine, core: usize, block: u64) -> Result<(), Box<Stop>> {
    if m.state.nt.pools.is_paged(block) {
        return Ok(());
    }
    let irql = m.state.cores[core].irql;
    let what = format!("frees nonpaged pool at {}", m.irqls().name(irql));
    let values = [u64::from(irql), 0, block];
    by_call(m, core, &FREE_NONPAGED_IRQL, &values, block, what)
}

/// A driver frees a block; with a tag, if it gives one.
pub(crate) fn freed(
    m: &mut Machine,
    core: usize,
    at: u64,
    given: Option<[u8; 4]>,
) -> Result<(), Box<Stop>> {
    let irql = m.state.cores[core].irql;
    if irql > m.irqls().apc && m.state.nt.pools.is_paged(at) {
        let what = format!("frees paged pool at {}", m.irqls().name(irql));
        let values = [u64::from(irql), PAGED, at];
        by_call(m, core, &FREE_PAGED_IRQL, &values, at, what)?;
    }
    let Some(block) = m.state.nt.pools.block(at) else {
        return match m.state.nt.pools.was_freed(at) {
            true => {
                let what = "frees a block that has been freed";
                by_call(m, core, &DOUBLE_FREE, &[at], at, what)
            }
            false => {
                let what = format!("frees {at:#x}, which no allocation gave");
                by_call(m, core, &NOT_ALLOCATED, &[at], at, what)
            }
        };
    };
    if let Some(given) = given.filter(|given| *given != [0; 4] && *given != block.tag) {
        let number = |tag: [u8; 4]| u64::from(u32::from_le_bytes(tag));
        let what = format!("frees block {} with the tag {}", tag(block.tag), tag(given));
        let values = [at, number(block.tag), number(given)];
        by_call(m, core, &TAG, &values, at, what)?;
    }
    Ok(())
}

/// A block is about to be freed, by whomever: what is behind it?
pub(crate) fn ends(m: &mut Machine, core: usize, at: u64) -> Result<(), Box<Stop>> {
    let Some((written, block)) = pool::written_behind(m, at) else {
        return Ok(());
    };
    let what = format!(
        "frees block {} of {:#x} bytes, of which byte {:#x} has been written",
        tag(block.tag),
        block.size,
        written - at
    );
    let values = [at, written, block.size];
    by_call(m, core, &OVERRUN, &values, at, what)
}

/// The unload routine of a driver returns.
pub(super) fn unloaded(
    m: &mut Machine,
    core: usize,
    module: usize,
    routine: u64,
) -> Result<(), Box<Stop>> {
    let blocks = m.state.nt.pools.blocks();
    let own = blocks.filter(|(_, b)| b.owner == Some(module as u16));
    let left: Vec<(u64, pool::Block)> = own.collect();
    let name = m.setup.modules[module].name.clone();
    let drivers = m.state.nt.io.drivers.iter();
    let object = drivers
        .filter(|d| d.name == name)
        .map(|d| d.object)
        .next()
        .unwrap_or(0);
    let name_at = object + layout::of(m.arch()).driver.driver_name;
    let count = left.len() as u64;
    for (at, block) in left {
        let breach = Breach {
            rule: &LEAK,
            values: &[name_at, count],
            object: at,
            pc: Some(routine),
            what: format!(
                "{name} is unloaded and leaves pool block {}",
                tag(block.tag)
            ),
        };
        broken(m, core, breach)?;
    }
    Ok(())
}

/// The addresses of a block.
pub(super) fn range(at: u64, size: u64) -> Range<u64> {
    at..at + size.max(1)
}
