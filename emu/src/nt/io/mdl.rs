//! Memory descriptor lists: which pages a buffer has, and keeping them in memory.
//!
//! The model has one address space, in which all requesters live, so mapping locked pages into
//! system space gives the address that the buffer already has. Until its pages are unlocked that
//! is valid in every context, as the real mapping is.

use std::collections::BTreeMap;

use crate::machine::context::Outcome;
use crate::machine::memory::FRAME_SIZE;
use crate::nt::api::{Contract, Module, Style, byte, long, ptr};
use crate::nt::{Api, Arg, Call, Done, Trouble, layout, pool};
use crate::stop::Access;

const WDK: &str = "Windows driver documentation: Using MDLs, MmProbeAndLockPages; wdm.h";
const PFN_LIST_CORRUPT: u32 = 0x4E;

/// `MDL.MdlFlags` (`wdm.h`).
mod flags {
    pub const MAPPED_TO_SYSTEM_VA: u16 = 0x1;
    pub const PAGES_LOCKED: u16 = 0x2;
    pub const SOURCE_IS_NONPAGED_POOL: u16 = 0x4;
    pub const ALLOCATED_FIXED_SIZE: u16 = 0x8;
    pub const PARTIAL: u16 = 0x10;
    pub const PARTIAL_HAS_BEEN_MAPPED: u16 = 0x20;
    pub const WRITE_OPERATION: u16 = 0x80;
}

/// Pages that must stay in memory, with how often they were locked.
#[derive(Clone, Debug, Default, Hash)]
pub struct Locked {
    pages: BTreeMap<u64, u32>,
}

impl Locked {
    /// Whether the page that begins at this address is locked.
    pub fn holds(&self, page: u64) -> bool {
        self.pages.contains_key(&page)
    }

    pub(crate) fn lock(&mut self, page: u64) {
        *self.pages.entry(page).or_default() += 1;
    }

    /// False if the page was not locked.
    pub(crate) fn unlock(&mut self, page: u64) -> bool {
        match self.pages.get_mut(&page) {
            Some(1) => self.pages.remove(&page).is_some(),
            Some(count) => {
                *count -= 1;
                true
            }
            None => false,
        }
    }
}

const fn row(
    name: &'static str,
    args: &'static [Arg],
    irql: Contract,
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    Api {
        name,
        module: Module::Ntoskrnl,
        style: Style::Std,
        args,
        irql,
        source: WDK,
        handler,
    }
}

use Contract::{Any, Dispatch};

/// MDL functions.
pub const API: &[Api] = &[
    row(
        "IoAllocateMdl",
        &[
            ptr("VirtualAddress"),
            long("Length"),
            byte("SecondaryBuffer"),
            byte("ChargeQuota"),
            ptr("Irp"),
        ],
        Dispatch,
        allocate_call,
    ),
    row("IoFreeMdl", &[ptr("Mdl")], Dispatch, free_call),
    row(
        "IoBuildPartialMdl",
        &[
            ptr("SourceMdl"),
            ptr("TargetMdl"),
            ptr("VirtualAddress"),
            long("Length"),
        ],
        Dispatch,
        build_partial,
    ),
    row(
        "MmCreateMdl",
        &[ptr("MemoryDescriptorList"), ptr("Base"), ptr("Length")],
        Dispatch,
        create,
    ),
    row(
        "MmSizeOfMdl",
        &[ptr("Base"), ptr("Length")],
        Any,
        size_of_call,
    ),
    row(
        "MmBuildMdlForNonPagedPool",
        &[ptr("MemoryDescriptorList")],
        Dispatch,
        build_nonpaged,
    ),
    row(
        "MmProbeAndLockPages",
        &[
            ptr("MemoryDescriptorList"),
            byte("AccessMode"),
            long("Operation"),
        ],
        Dispatch,
        probe_and_lock,
    ),
    row(
        "MmUnlockPages",
        &[ptr("MemoryDescriptorList")],
        Dispatch,
        unlock_call,
    ),
    row(
        "MmMapLockedPages",
        &[ptr("MemoryDescriptorList"), byte("AccessMode")],
        Dispatch,
        map,
    ),
    row(
        "MmMapLockedPagesSpecifyCache",
        &[
            ptr("MemoryDescriptorList"),
            byte("AccessMode"),
            long("CacheType"),
            ptr("RequestedAddress"),
            long("BugCheckOnFailure"),
            long("Priority"),
        ],
        Dispatch,
        map,
    ),
    row(
        "MmUnmapLockedPages",
        &[ptr("BaseAddress"), ptr("MemoryDescriptorList")],
        Dispatch,
        unmap,
    ),
];

/// The number of pages that a buffer touches: `ADDRESS_AND_SIZE_TO_SPAN_PAGES`.
fn span(page: u64, va: u64, length: u64) -> u64 {
    (va % page).saturating_add(length).div_ceil(page)
}

fn size_for(call: &Call<'_>, va: u64, length: u64) -> u64 {
    let l = layout::of(call.arch());
    l.mdl.size + span(call.m.setup.profile.page_size(), va, length) * l.pointer
}

/// Fills in an MDL for a buffer, without its pages.
fn initialize(call: &mut Call<'_>, mdl: u64, va: u64, length: u64) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    let page = call.m.setup.profile.page_size();
    let size = size_for(call, va, length);
    call.set_ptr(mdl + l.mdl.next, 0)?;
    call.set_u16(mdl + l.mdl.words, size as u16)?;
    call.set_u16(mdl + l.mdl.flags, 0)?;
    call.set_ptr(mdl + l.mdl.start_va, va - va % page)?;
    call.set_u32(mdl + l.mdl.byte_offset, (va % page) as u32)?;
    call.set_u32(mdl + l.mdl.byte_count, length as u32)
}

/// An MDL from pool for a buffer; 0 if there is no pool.
pub(super) fn allocate(call: &mut Call<'_>, va: u64, length: u64) -> Result<u64, Trouble> {
    let size = size_for(call, va, length);
    let mdl = pool::allocate(call.m, call.core, size, *b"Mdl ", false);
    if mdl != 0 {
        call.write_bytes(mdl, &vec![0; size as usize])?;
        initialize(call, mdl, va, length)?;
        let l = layout::of(call.arch());
        call.set_u16(mdl + l.mdl.flags, flags::ALLOCATED_FIXED_SIZE)?;
    }
    Ok(mdl)
}

fn allocate_call(call: &mut Call<'_>) -> Done {
    let [va, length, secondary, _, irp, ..] = call.args;
    let size = size_for(call, va, length);
    if crate::faults::allocation(call.m, call.core, size, *b"Mdl ", false) {
        return Ok(Outcome::Return(0));
    }
    let mdl = allocate(call, va, length)?;
    if mdl != 0 && irp != 0 {
        attach(call, irp, mdl, secondary != 0)?;
    }
    Ok(Outcome::Return(mdl))
}

/// Makes an MDL the first of an IRP, or the last one of its chain.
pub(super) fn attach(
    call: &mut Call<'_>,
    irp: u64,
    mdl: u64,
    secondary: bool,
) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    let head = irp + l.irp.mdl_address;
    let last = if secondary {
        chain(call, irp)?.pop()
    } else {
        None
    };
    call.set_ptr(last.map_or(head, |m| m + l.mdl.next), mdl)
}

fn free_call(call: &mut Call<'_>) -> Done {
    let mdl = call.args[0];
    free(call, mdl)?;
    Ok(Outcome::Return(0))
}

fn free(call: &mut Call<'_>, mdl: u64) -> Result<(), Trouble> {
    // Reading it first is what the kernel does too: a partial mapping is undone.
    call.u16(mdl + layout::of(call.arch()).mdl.flags)?;
    pool::free(call.m, call.core, mdl)
}

/// The MDLs of an IRP, first to last.
fn chain(call: &mut Call<'_>, irp: u64) -> Result<Vec<u64>, Trouble> {
    let l = layout::of(call.arch());
    super::linked(call, irp + l.irp.mdl_address, l.mdl.next)
}

/// Unlocks the pages of an IRP's MDLs.
pub(super) fn unlock_chain(call: &mut Call<'_>, irp: u64) -> Result<(), Trouble> {
    for mdl in chain(call, irp)? {
        let flags = call.u16(mdl + layout::of(call.arch()).mdl.flags)?;
        if flags & flags::PAGES_LOCKED != 0 {
            unlock(call, mdl)?;
        }
    }
    Ok(())
}

/// Frees an IRP's MDLs.
pub(super) fn free_chain(call: &mut Call<'_>, irp: u64) -> Result<(), Trouble> {
    for mdl in chain(call, irp)? {
        free(call, mdl)?;
    }
    call.set_ptr(irp + layout::of(call.arch()).irp.mdl_address, 0)
}

fn create(call: &mut Call<'_>) -> Done {
    let [mdl, va, length, ..] = call.args;
    if mdl == 0 {
        return allocate(call, va, length).map(Outcome::Return);
    }
    initialize(call, mdl, va, length)?;
    Ok(Outcome::Return(mdl))
}

fn size_of_call(call: &mut Call<'_>) -> Done {
    let [va, length, ..] = call.args;
    Ok(Outcome::Return(size_for(call, va, length)))
}

fn build_partial(call: &mut Call<'_>) -> Done {
    let [source, target, va, length, ..] = call.args;
    let l = layout::of(call.arch());
    let page = call.m.setup.profile.page_size();
    let from = buffer(call, source)?;
    let count = u64::from(call.u32(source + l.mdl.byte_count)?);
    let length = if length == 0 {
        (from + count).saturating_sub(va)
    } else {
        length
    };
    let first = (va - va % page).saturating_sub(from - from % page) / page;
    let pages = span(page, va, length);
    let source_flags = call.u16(source + l.mdl.flags)?;
    let mut target_flags = call.u16(target + l.mdl.flags)? & flags::ALLOCATED_FIXED_SIZE;
    target_flags |= flags::PARTIAL;
    let mapped = flags::MAPPED_TO_SYSTEM_VA | flags::SOURCE_IS_NONPAGED_POOL;
    target_flags |= source_flags & (mapped | flags::WRITE_OPERATION);
    call.set_ptr(target + l.mdl.start_va, va - va % page)?;
    call.set_u32(target + l.mdl.byte_offset, (va % page) as u32)?;
    call.set_u32(target + l.mdl.byte_count, length as u32)?;
    call.set_u16(target + l.mdl.flags, target_flags)?;
    if source_flags & mapped != 0 {
        let system = call.ptr(source + l.mdl.mapped_system_va)?;
        call.set_ptr(
            target + l.mdl.mapped_system_va,
            system.wrapping_add(va.wrapping_sub(from)),
        )?;
    }
    for i in 0..pages {
        let pfn = call.ptr(source + l.mdl.size + (first + i) * l.pointer)?;
        call.set_ptr(target + l.mdl.size + i * l.pointer, pfn)?;
    }
    Ok(Outcome::Return(0))
}

/// The buffer that an MDL describes.
fn buffer(call: &mut Call<'_>, mdl: u64) -> Result<u64, Trouble> {
    let l = layout::of(call.arch());
    Ok(call.ptr(mdl + l.mdl.start_va)? + u64::from(call.u32(mdl + l.mdl.byte_offset)?))
}

/// First addresses of the pages that an MDL describes.
fn pages(call: &mut Call<'_>, mdl: u64) -> Result<Vec<u64>, Trouble> {
    let l = layout::of(call.arch());
    let page = call.m.setup.profile.page_size();
    let va = buffer(call, mdl)?;
    let count = u64::from(call.u32(mdl + l.mdl.byte_count)?);
    Ok((0..span(page, va, count))
        .map(|i| va - va % page + i * page)
        .collect())
}

/// Writes the page frame numbers behind an MDL.
fn fill_frames(call: &mut Call<'_>, mdl: u64, pages: &[u64]) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    for (i, &page) in pages.iter().enumerate() {
        let pfn = frame_number(call, page);
        call.set_ptr(mdl + l.mdl.size + i as u64 * l.pointer, pfn)?;
    }
    Ok(())
}

/// The number of the page frame behind a page; 0 where there is none.
pub(crate) fn frame_number(call: &mut Call<'_>, va: u64) -> u64 {
    let frames = call.m.setup.profile.page_size() / FRAME_SIZE as u64;
    match call.m.memory.translate(va, Access::Read) {
        Ok(frame) => u64::from(frame) / frames,
        Err(_) => 0,
    }
}

fn build_nonpaged(call: &mut Call<'_>) -> Done {
    let mdl = call.args[0];
    let l = layout::of(call.arch());
    let list = pages(call, mdl)?;
    let va = buffer(call, mdl)?;
    let now = call.u16(mdl + l.mdl.flags)? | flags::SOURCE_IS_NONPAGED_POOL;
    call.set_u16(mdl + l.mdl.flags, now)?;
    call.set_ptr(mdl + l.mdl.mapped_system_va, va)?;
    fill_frames(call, mdl, &list)?;
    Ok(Outcome::Return(0))
}

fn probe_and_lock(call: &mut Call<'_>) -> Done {
    let [mdl, _, operation, ..] = call.args;
    // IoReadAccess 0, IoWriteAccess 1, IoModifyAccess 2.
    lock(call, mdl, operation != 0)?;
    Ok(Outcome::Return(0))
}

/// Brings a buffer's pages into memory and keeps them there. A page that is not there is the
/// exception that the documentation announces; drivers that handle it are not modelled.
pub(super) fn lock(call: &mut Call<'_>, mdl: u64, write: bool) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    let list = pages(call, mdl)?;
    let access = if write { Access::Write } else { Access::Read };
    for &page in &list {
        call.m.touch(call.core, page, 1, access)?;
    }
    for &page in &list {
        call.m.state.nt.io.locked.lock(page);
    }
    let mut now = call.u16(mdl + l.mdl.flags)? | flags::PAGES_LOCKED;
    if write {
        now |= flags::WRITE_OPERATION;
    }
    call.set_u16(mdl + l.mdl.flags, now)?;
    fill_frames(call, mdl, &list)
}

fn unlock_call(call: &mut Call<'_>) -> Done {
    let mdl = call.args[0];
    unlock(call, mdl)?;
    Ok(Outcome::Return(0))
}

fn unlock(call: &mut Call<'_>, mdl: u64) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    for (i, page) in pages(call, mdl)?.into_iter().enumerate() {
        if !call.m.state.nt.io.locked.unlock(page) {
            let pfn = call.ptr(mdl + l.mdl.size + i as u64 * l.pointer)?;
            // 7: a driver has unlocked a page more often than it locked it.
            return Err(call.bugcheck(PFN_LIST_CORRUPT, [7, pfn, 0, 0]));
        }
    }
    let gone = flags::PAGES_LOCKED | flags::MAPPED_TO_SYSTEM_VA | flags::WRITE_OPERATION;
    let now = call.u16(mdl + l.mdl.flags)? & !gone;
    call.set_u16(mdl + l.mdl.flags, now)
}

fn map(call: &mut Call<'_>) -> Done {
    let [mdl, mode, ..] = call.args;
    if mode != 0 {
        return Err(call.unimplemented("MmMapLockedPages", "a mapping for user mode"));
    }
    let l = layout::of(call.arch());
    let va = buffer(call, mdl)?;
    let mut now = call.u16(mdl + l.mdl.flags)? | flags::MAPPED_TO_SYSTEM_VA;
    if now & flags::PARTIAL != 0 {
        now |= flags::PARTIAL_HAS_BEEN_MAPPED;
    }
    call.set_u16(mdl + l.mdl.flags, now)?;
    call.set_ptr(mdl + l.mdl.mapped_system_va, va)?;
    Ok(Outcome::Return(va))
}

fn unmap(call: &mut Call<'_>) -> Done {
    let mdl = call.args[1];
    let at = mdl + layout::of(call.arch()).mdl.flags;
    let gone = flags::MAPPED_TO_SYSTEM_VA | flags::PARTIAL_HAS_BEEN_MAPPED;
    let now = call.u16(at)? & !gone;
    call.set_u16(at, now)?;
    Ok(Outcome::Return(0))
}

/// An MDL for a buffer of a request, its pages locked, attached to the IRP; false if there is no
/// pool.
pub(super) fn describe(
    call: &mut Call<'_>,
    irp: u64,
    va: u64,
    length: u64,
    write: bool,
) -> Result<bool, Trouble> {
    let mdl = allocate(call, va, length)?;
    if mdl == 0 {
        return Ok(false);
    }
    lock(call, mdl, write)?;
    attach(call, irp, mdl, false)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_spanned() {
        assert_eq!(span(4096, 0x1000, 0), 0);
        assert_eq!(span(4096, 0x1000, 4096), 1);
        assert_eq!(span(4096, 0x1FFF, 2), 2);
        assert_eq!(span(8192, 0x1FFF, 2), 2);
        assert_eq!(span(8192, 0x1000, 0x1000), 1);
    }

    #[test]
    fn locks_are_counted() {
        let mut locked = Locked::default();
        locked.lock(0x1000);
        locked.lock(0x1000);
        assert!(locked.unlock(0x1000) && locked.holds(0x1000));
        assert!(locked.unlock(0x1000) && !locked.holds(0x1000));
        assert!(!locked.unlock(0x1000));
    }
}
