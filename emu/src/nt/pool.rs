//! Nonpaged and paged pool.
//!
//! Blocks smaller than a page share pages and are kept on a list per size after they are freed,
//! most recent first, linked through their first bytes as the kernel's lookaside lists are: a freed
//! block stays readable and is soon reused. A block of a page or more has pages of its own, which
//! leave the pool when it is freed, as the pages of the nonpaged pool's expansion do [ReactOS
//! mm/ARM3/pool.c, behaviour]: touching one faults.
//!
//! With special pool every block has pages of its own and ends where a page begins that is not
//! there, so that the instruction that runs past its end faults, and so does every use of it after
//! it was freed (Windows driver documentation: Special Pool). Freed pages are used again only when
//! the pool has been gone through; when it is full, blocks come from the ordinary pool.

use std::collections::BTreeMap;

use super::api::{Contract, Module, Style, long, ptr};
use super::{Api, Call, Done};
use crate::machine::Machine;
use crate::machine::context::Outcome;
use crate::machine::memory::{FRAME_SIZE, RegionKind, Rights};
use crate::rules;
use crate::trace::EventKind;
use crate::trace::event::PoolOp;

const WDK: &str = "Windows driver documentation: Pool Memory; wdm.h POOL_TYPE";
const BAD_POOL_HEADER: u32 = 0x19;
const MUST_SUCCEED_POOL_EMPTY: u32 = 0x41;
const BAD_POOL_CALLER: u32 = 0xC2;
const NO_TAG: [u8; 4] = *b"None";

/// Both pools.
#[derive(Clone, Default, Hash)]
pub struct Pools {
    /// Nonpaged, paged.
    pools: [Pool; 2],
}

#[derive(Clone, Default, Hash)]
struct Pool {
    base: u64,
    end: u64,
    /// First address never used by a page run; the next search for pages begins behind the last
    /// find, so that freed pages are not reused at once.
    cursor: u64,
    /// Allocated blocks.
    blocks: BTreeMap<u64, Block>,
    /// Freed small blocks by size, most recent last.
    free: BTreeMap<u64, Vec<u64>>,
    /// Pages in use by large blocks or carved into small ones: first address and length.
    runs: BTreeMap<u64, u64>,
    /// Where the next small block is carved, and how much is left of that page.
    carve: (u64, u64),
    /// Blocks allocated, and freed, so far.
    allocated: u64,
    freed: u64,
}

/// An allocated block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// Size asked for.
    pub size: u64,
    /// Tag, in memory order.
    pub tag: [u8; 4],
    /// Whether it is in paged pool.
    pub paged: bool,
    /// Whether it has pages of its own.
    pub large: bool,
    /// The driver that asked for it, by index in the list of modules; `None` if the kernel did.
    pub owner: Option<u16>,
    /// What the first bytes behind it held when it was allocated, as far as they are nobody's.
    pub behind: [u8; BEHIND_MAX],
}

impl Pools {
    /// Pools between these addresses.
    pub fn new(nonpaged: std::ops::Range<u64>, paged: std::ops::Range<u64>) -> Pools {
        let pool = |r: std::ops::Range<u64>| Pool {
            base: r.start,
            end: r.end,
            cursor: r.start,
            ..Pool::default()
        };
        Pools {
            pools: [pool(nonpaged), pool(paged)],
        }
    }

    /// The allocated block that contains `va`: its address and facts.
    pub fn containing(&self, va: u64) -> Option<(u64, Block)> {
        self.pools.iter().find_map(|p| {
            let (&at, &block) = p.blocks.range(..=va).next_back()?;
            (va < at + block.size.max(1)).then_some((at, block))
        })
    }

    /// Blocks allocated, and freed, so far.
    pub fn counts(&self) -> (u64, u64) {
        let all = self.pools.iter();
        all.fold((0, 0), |(a, f), p| (a + p.allocated, f + p.freed))
    }

    /// The allocated block that begins at `at`.
    pub fn block(&self, at: u64) -> Option<Block> {
        self.pools.iter().find_map(|p| p.blocks.get(&at)).copied()
    }

    /// Whether `at` is an address of paged pool.
    pub fn is_paged(&self, at: u64) -> bool {
        self.pools[1].base <= at && at < self.pools[1].end
    }

    /// Whether a small block that began at `at` was freed and waits to be used again.
    pub(crate) fn was_freed(&self, at: u64) -> bool {
        let free = self.pools.iter().flat_map(|p| p.free.values());
        free.flatten().any(|&block| block == at)
    }

    /// Notes which driver asked for a block.
    pub(crate) fn owned(&mut self, at: u64, owner: Option<usize>) {
        let mut pools = self.pools.iter_mut();
        if let Some(block) = pools.find_map(|p| p.blocks.get_mut(&at)) {
            block.owner = owner.map(|module| module as u16);
        }
    }

    /// All allocated blocks, nonpaged first, by address.
    pub fn blocks(&self) -> impl Iterator<Item = (u64, Block)> {
        self.pools
            .iter()
            .flat_map(|p| p.blocks.iter().map(|(&at, &b)| (at, b)))
    }
}

impl Pool {
    /// Takes `length` bytes of pages, searching from the cursor on and then from the start.
    fn take_pages(&mut self, length: u64) -> Option<u64> {
        let found = self
            .gap(self.cursor, length)
            .or_else(|| self.gap(self.base, length))?;
        self.runs.insert(found, length);
        self.cursor = found + length;
        Some(found)
    }

    fn gap(&self, from: u64, length: u64) -> Option<u64> {
        let mut at = from;
        // A run that begins before `from` may reach into it.
        if let Some((&start, &size)) = self.runs.range(..from).next_back() {
            at = at.max(start + size);
        }
        for (&start, &size) in self.runs.range(from..) {
            if start - at >= length {
                return Some(at);
            }
            at = start + size;
        }
        (self.end.saturating_sub(at) >= length).then_some(at)
    }
}

const fn row(
    name: &'static str,
    args: &'static [super::Arg],
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    let (module, style, irql) = (Module::Ntoskrnl, Style::Std, Contract::Dispatch);
    Api {
        name,
        module,
        style,
        args,
        irql,
        source: WDK,
        handler,
    }
}

/// Pool functions.
pub const API: &[Api] = &[
    row(
        "ExAllocatePool",
        &[long("PoolType"), ptr("NumberOfBytes")],
        allocate_untagged,
    ),
    row(
        "ExAllocatePoolWithTag",
        &[long("PoolType"), ptr("NumberOfBytes"), long("Tag")],
        allocate_tagged,
    ),
    row("ExFreePool", &[ptr("P")], free_call),
    row("ExFreePoolWithTag", &[ptr("P"), long("Tag")], free_tagged),
];

/// POOL_TYPE: bit 0 paged, bit 1 must succeed, bit 2 cache aligned.
const PAGED: u64 = 1;
const MUST_SUCCEED: u64 = 2;

fn allocate_untagged(call: &mut Call<'_>) -> Done {
    let [kind, size, ..] = call.args;
    allocate_call(call, kind, size, NO_TAG)
}

fn allocate_tagged(call: &mut Call<'_>) -> Done {
    let [kind, size, tag, ..] = call.args;
    allocate_call(call, kind, size, (tag as u32).to_le_bytes())
}

fn allocate_call(call: &mut Call<'_>, kind: u64, size: u64, tag: [u8; 4]) -> Done {
    let paged = kind & PAGED != 0;
    rules::pool::asked(call.m, call.core, kind, size)?;
    if paged && call.irql() > call.m.irqls().apc {
        // Paged pool is protected by a fast mutex and is itself pageable.
        return Err(call.bugcheck(BAD_POOL_CALLER, [8, u64::from(call.irql()), kind, size]));
    }
    let block = match crate::faults::allocation(call.m, call.core, size, tag, paged) {
        true => {
            let op = PoolOp::Failed;
            call.event(EventKind::Pool {
                op,
                block: 0,
                size,
                tag,
                paged,
            });
            0
        }
        false => allocate(call.m, call.core, size, tag, paged),
    };
    own(call, block);
    crate::faults::allocated(call.m, call.core, size, tag, paged, block);
    if block == 0 && kind & MUST_SUCCEED != 0 {
        return Err(call.bugcheck(MUST_SUCCEED_POOL_EMPTY, [size, 0, 0, 0]));
    }
    Ok(Outcome::Return(block))
}

/// The driver that makes the call owns the block.
pub(crate) fn own(call: &mut Call<'_>, block: u64) {
    let caller = call.m.caller_address(call.core);
    let owner = call.m.in_driver(caller);
    call.m.state.nt.pools.owned(block, owner);
}

fn free_tagged(call: &mut Call<'_>) -> Done {
    let [block, tag, ..] = call.args;
    let tag = (tag as u32).to_le_bytes();
    rules::pool::freed(call.m, call.core, block, Some(tag))?;
    free(call.m, call.core, block)?;
    Ok(Outcome::Return(0))
}

fn free_call(call: &mut Call<'_>) -> Done {
    let block = call.args[0];
    rules::pool::freed(call.m, call.core, block, None)?;
    free(call.m, call.core, block)?;
    Ok(Outcome::Return(0))
}

/// Bytes before each small block: sizes, type and tag, as in the kernel's POOL_HEADER.
fn header_size(m: &Machine) -> u64 {
    m.arch().pointer_size() * 2
}

/// Allocates a block; 0 if the pool is exhausted.
pub fn allocate(m: &mut Machine, core: usize, size: u64, tag: [u8; 4], paged: bool) -> u64 {
    let at = carve(m, size, tag, paged).unwrap_or(0);
    let op = if at == 0 {
        PoolOp::Failed
    } else {
        PoolOp::Allocated
    };
    m.event(
        core,
        EventKind::Pool {
            op,
            block: at,
            size,
            tag,
            paged,
        },
    );
    at
}

fn carve(m: &mut Machine, size: u64, tag: [u8; 4], paged: bool) -> Option<u64> {
    let page = m.setup.profile.page_size();
    let header = header_size(m);
    let special = match m.setup.plan.memory.special_pool {
        true => carve_special(m, size, paged),
        false => None,
    };
    let pool = &mut m.state.nt.pools.pools[usize::from(paged)];
    let rounded = size.max(1).checked_next_multiple_of(header)?;
    let large = special.is_some() || rounded + header > page;
    let at = if let Some(at) = special {
        at
    } else if large {
        let length = size.checked_next_multiple_of(page)?;
        let at = pool.take_pages(length)?;
        commit(m, at, length, true);
        at
    } else if let Some(at) = pool.free.get_mut(&rounded).and_then(Vec::pop) {
        at
    } else {
        if pool.carve.1 < rounded + header {
            let at = pool.take_pages(page)?;
            pool.carve = (at, page);
        }
        let (at, left) = pool.carve;
        pool.carve = (at + rounded + header, left - rounded - header);
        if left == page {
            commit(m, at, page, true);
        }
        at + header
    };
    if !large {
        let mut bytes = [0; 16];
        let bytes = &mut bytes[..header as usize];
        bytes[..2].copy_from_slice(&((rounded / header) as u16).to_le_bytes());
        bytes[4..8].copy_from_slice(&tag);
        m.memory.write(at - header, bytes);
    }
    let behind = read_behind(m, &behind(m, at, size, large));
    let pool = &mut m.state.nt.pools.pools[usize::from(paged)];
    pool.allocated += 1;
    pool.blocks.insert(
        at,
        Block {
            size,
            tag,
            paged,
            large,
            owner: None,
            behind,
        },
    );
    Some(at)
}

/// Pages of its own for a block, with one behind them that is never valid. The block begins as late
/// in them as its alignment allows.
fn carve_special(m: &mut Machine, size: u64, paged: bool) -> Option<u64> {
    let page = m.setup.profile.page_size();
    let rounded = size.max(1).checked_next_multiple_of(header_size(m))?;
    let length = rounded.checked_next_multiple_of(page)?;
    let pool = &mut m.state.nt.pools.pools[usize::from(paged)];
    let base = pool.take_pages(length.checked_add(page)?)?;
    commit(m, base, length, true);
    commit(m, base + length, page, false);
    Some(base + length - rounded)
}

/// So many of the bytes behind a block that are nobody's are remembered, at most.
const BEHIND_MAX: usize = 16;

/// The bytes behind a block that are there only because sizes are rounded up.
fn behind(m: &Machine, at: u64, size: u64, large: bool) -> std::ops::Range<u64> {
    let unit = match large && !m.setup.plan.memory.special_pool {
        true => m.setup.profile.page_size(),
        false => header_size(m),
    };
    // A block of no bytes has room for one unit.
    let end = at + size.max(1).next_multiple_of(unit);
    at + size..end.min(at + size + BEHIND_MAX as u64)
}

/// What those bytes hold.
fn read_behind(m: &Machine, behind: &std::ops::Range<u64>) -> [u8; BEHIND_MAX] {
    let mut bytes = [0; BEHIND_MAX];
    let length = (behind.end - behind.start) as usize;
    m.memory.read(behind.start, &mut bytes[..length]);
    bytes
}

/// Whether something was written behind an allocated block: the address of the first byte that was,
/// and the block. Where no byte is left behind it, the header of the next block tells.
pub(crate) fn written_behind(m: &Machine, at: u64) -> Option<(u64, Block)> {
    let block = m.state.nt.pools.block(at)?;
    let behind = behind(m, at, block.size, block.large);
    let now = read_behind(m, &behind);
    if let Some(i) = now.iter().zip(&block.behind).position(|(n, b)| n != b) {
        return Some((behind.start + i as u64, block));
    }
    let next = behind.end + header_size(m);
    let pool = &m.state.nt.pools.pools[usize::from(block.paged)];
    let follows = pool
        .blocks
        .get(&next)
        .filter(|b| !b.large && !block.large)?;
    let mut tag = [0; 4];
    m.memory.read(behind.end + 4, &mut tag);
    (tag != follows.tag).then_some((behind.end, block))
}

/// Makes pool pages valid, or takes them away.
fn commit(m: &mut Machine, at: u64, length: u64, valid: bool) {
    m.memory.change_pages(at, length, |p| {
        p.valid = valid;
        p.resident = true;
    });
}

/// Frees a block; a block that is not allocated, or whose header was overwritten, stops the
/// machine as the kernel's own checks would.
pub fn free(m: &mut Machine, core: usize, at: u64) -> Result<(), super::Trouble> {
    let (header, page) = (header_size(m), m.setup.profile.page_size());
    if let Some(block) = m.state.nt.pools.block(at) {
        rules::pool::ends(m, core, at)?;
        rules::object::freed(m, core, at, block.size)?;
    }
    let paged = m.state.nt.pools.is_paged(at);
    let pool = &mut m.state.nt.pools.pools[usize::from(paged)];
    pool.freed += 1;
    let Some(block) = pool.blocks.remove(&at) else {
        // 7: the block has been freed already (or was never allocated; the kernel cannot tell).
        return Err(m.bugcheck(core, BAD_POOL_CALLER, [7, 0, 0, at]).into());
    };
    if block.large {
        // A special block begins inside its first page.
        let base = at / page * page;
        let length = pool.runs.remove(&base).unwrap_or(0);
        commit(m, base, length, false);
    } else {
        let rounded = block.size.max(1).next_multiple_of(header);
        let mut tag = [0; 4];
        m.memory.read(at - header + 4, &mut tag);
        if tag != block.tag {
            return Err(m
                .bugcheck(core, BAD_POOL_HEADER, [0x20, at - header, at, 0])
                .into());
        }
        let list = m.state.nt.pools.pools[usize::from(paged)]
            .free
            .entry(rounded)
            .or_default();
        let next = list.last().copied().unwrap_or(0);
        list.push(at);
        let n = m.arch().pointer_size() as usize;
        m.memory.write(at, &next.to_le_bytes()[..n]);
    }
    let Block {
        size, tag, paged, ..
    } = block;
    m.event(
        core,
        EventKind::Pool {
            op: PoolOp::Freed,
            block: at,
            size,
            tag,
            paged,
        },
    );
    Ok(())
}

/// Maps the pools' address ranges, nothing valid in them yet.
pub(crate) fn map(m: &mut Machine, nonpaged: u64, paged: u64) -> bool {
    let map = m.setup.map;
    let mut ok = true;
    let pools = [
        (map.nonpaged, nonpaged, RegionKind::NonPagedPool, false),
        (map.paged, paged, RegionKind::PagedPool, true),
    ];
    for (base, size, kind, pageable) in pools {
        let pages = (size as usize).div_ceil(FRAME_SIZE);
        ok &= m.memory.map(base, pages, kind, Rights::WRITE, pageable);
        m.memory
            .change_pages(base, (pages * FRAME_SIZE) as u64, |p| p.valid = false);
    }
    m.state.nt.pools = Pools::new(
        map.nonpaged..map.nonpaged + nonpaged,
        map.paged..map.paged + paged,
    );
    ok
}
