//! Guest memory: a page table over frames of one host arena, with rights and residency per page.
//!
//! Every core maps the whole arena as its physical memory; which frame a virtual page means, and
//! what may be done with it, is answered by the TLB fill hook from [`Memory::translate`]. A page is
//! first filled without the write right, so the first store to it comes back here and marks the
//! frame dirty: that is all the bookkeeping a snapshot needs.

use std::cell::Cell;
use std::sync::Arc;

use super::page_set::PageSet;
use crate::stop::Access;

/// Bytes in a frame, and in the pages that the emulated TLBs know. Profiles with larger pages use
/// several frames a page.
pub const FRAME_SIZE: usize = 4096;

/// The contents of one frame, shared between snapshots.
pub type Frame = [u8; FRAME_SIZE];

/// What may be done with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rights {
    /// Stores are allowed.
    pub write: bool,
    /// Instruction fetches are allowed.
    pub execute: bool,
}

impl Rights {
    /// Loads only.
    pub const READ: Rights = Rights {
        write: false,
        execute: false,
    };
    /// Loads and stores.
    pub const WRITE: Rights = Rights {
        write: true,
        execute: false,
    };
    /// Loads and fetches.
    pub const EXECUTE: Rights = Rights {
        write: false,
        execute: true,
    };
}

/// One 4 KiB page of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// Index of the frame in the arena.
    pub frame: u32,
    /// What may be done with it.
    pub rights: Rights,
    /// Whether there is anything at this address at all: guard pages and freed pool pages have
    /// no valid translation.
    pub valid: bool,
    /// Whether it may leave memory.
    pub pageable: bool,
    /// Whether it is in memory. A page that is valid but not resident comes back when touched
    /// below DISPATCH_LEVEL.
    pub resident: bool,
}

/// What a region of the address space is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RegionKind {
    /// A loaded driver, by index in the module list.
    Image(u16),
    /// Entry points of a modelled module, by index in the module list.
    Traps(u16),
    /// Nonpaged pool.
    NonPagedPool,
    /// Paged pool.
    PagedPool,
    /// A kernel stack, by number.
    Stack(u16),
    /// Processor control region of a core.
    Pcr(u8),
    /// Data shared by the kernel model with drivers.
    Shared,
    /// User memory of a scripted requester.
    User,
}

/// A run of pages with one purpose.
#[derive(Clone, Debug)]
pub struct Region {
    /// First address, a multiple of the frame size.
    pub base: u64,
    /// What it is for.
    pub kind: RegionKind,
    /// The pages, in address order.
    pub pages: Arc<[Page]>,
}

impl Region {
    /// First address behind the region.
    pub fn end(&self) -> u64 {
        self.base + (self.pages.len() * FRAME_SIZE) as u64
    }
}

/// Why an address has no translation for an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// No region, or an invalid page of one.
    Invalid,
    /// A valid page that is not in memory.
    NotResident,
    /// The page does not allow this access.
    Rights,
}

/// The page tables and contents at one moment; see [`Memory::snapshot`].
#[derive(Clone)]
pub struct MemoryImage {
    regions: Arc<Vec<Region>>,
    frames: Arc<Vec<Arc<Frame>>>,
}

/// Pages that are remembered by their addresses, at most.
const REMEMBERED: usize = 64;

/// A page that was found before; the number of its address divided by the frame size, or one that no
/// address has.
#[derive(Clone, Copy)]
struct Found {
    number: u64,
    page: Page,
}

impl Found {
    const NONE: Found = Found {
        number: u64::MAX,
        page: Page {
            frame: 0,
            rights: Rights::READ,
            valid: false,
            pageable: false,
            resident: false,
        },
    };
}

/// Where the page of an address is remembered.
fn slot(va: u64) -> usize {
    (va / FRAME_SIZE as u64) as usize % REMEMBERED
}

/// Frames that a restore leaves marked as dirty, at most. Copying one more costs less than the
/// misses in the cores' TLBs that forgetting it would cost, but not if there are very many.
const HOT: usize = 128;

/// Guest memory.
pub struct Memory {
    arena: Arena,
    regions: Arc<Vec<Region>>,
    /// The frames' contents at the last snapshot or restore; a frame that is not dirty still
    /// equals its entry. After a restore some that are dirty do too.
    clean: Arc<Vec<Arc<Frame>>>,
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    /// First virtual address of each frame in use; frames are mapped once.
    mapped_at: Vec<u64>,
    /// What a TLB is to a core: the pages found last. Most look-ups find one of them again.
    found: [Cell<Found>; REMEMBERED],
    /// Where the kernel has written since this was emptied, if anybody wants to know: first address
    /// and bytes.
    pub(super) journal: Option<Vec<(u64, usize)>>,
    /// Translations that were taken away and that a TLB may still have.
    stale: Stale,
}

/// Translations that were taken away.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Stale {
    /// None.
    #[default]
    Nothing,
    /// Of these pages.
    Pages(PageSet),
    /// Perhaps of every page.
    All,
}

impl Stale {
    fn add(&mut self, page: u64) {
        if *self == Stale::Nothing {
            *self = Stale::Pages(PageSet::default());
        }
        if let Stale::Pages(pages) = self {
            pages.add(page);
        }
    }
}

impl Memory {
    /// Memory of `frames` frames, nothing mapped.
    ///
    /// # Panics
    /// If the host gives no memory.
    pub fn new(frames: u32) -> Memory {
        let zero: Arc<Frame> = Arc::new([0; FRAME_SIZE]);
        Memory {
            arena: Arena::new(frames as usize * FRAME_SIZE),
            regions: Arc::new(Vec::new()),
            clean: Arc::new(vec![zero; frames as usize]),
            dirty: Vec::new(),
            is_dirty: vec![false; frames as usize],
            mapped_at: Vec::new(),
            found: [const { Cell::new(Found::NONE) }; REMEMBERED],
            journal: None,
            stale: Stale::Nothing,
        }
    }

    /// Host address and length of the arena, for mapping it into an emulator.
    pub(super) fn arena(&self) -> (*mut u8, usize) {
        (self.arena.base, self.arena.length)
    }

    /// Maps a region of zeroed pages. Returns false if the arena is full or the range is taken.
    pub fn map(
        &mut self,
        base: u64,
        pages: usize,
        kind: RegionKind,
        rights: Rights,
        pageable: bool,
    ) -> bool {
        let end = base + (pages * FRAME_SIZE) as u64;
        let free = (self.is_dirty.len() - self.mapped_at.len()) as u32;
        if pages as u32 > free || self.regions.iter().any(|r| base < r.end() && r.base < end) {
            return false;
        }
        let first = self.mapped_at.len() as u32;
        self.mapped_at
            .extend((0..pages).map(|i| base + (i * FRAME_SIZE) as u64));
        let pages = (0..pages as u32)
            .map(|i| Page {
                frame: first + i,
                rights,
                valid: true,
                pageable,
                resident: true,
            })
            .collect();
        let regions = Arc::make_mut(&mut self.regions);
        let at = regions.partition_point(|r| r.base < base);
        regions.insert(at, Region { base, kind, pages });
        true
    }

    /// All regions, in address order.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The region that `va` lies in.
    pub fn region(&self, va: u64) -> Option<&Region> {
        Some(&self.regions[self.find(va)?])
    }

    fn find(&self, va: u64) -> Option<usize> {
        let i = self
            .regions
            .partition_point(|r| r.base <= va)
            .checked_sub(1)?;
        (va < self.regions[i].end()).then_some(i)
    }

    #[inline(always)]
    fn page(&self, va: u64) -> Option<Page> {
        let number = va / FRAME_SIZE as u64;
        let found = self.found[slot(va)].get();
        match found.number == number {
            true => Some(found.page),
            false => self.find_page(va),
        }
    }

    #[cold]
    fn find_page(&self, va: u64) -> Option<Page> {
        let region = self.region(va)?;
        let page = region.pages[((va - region.base) as usize) / FRAME_SIZE];
        let number = va / FRAME_SIZE as u64;
        self.found[slot(va)].set(Found { number, page });
        Some(page)
    }

    /// What was found before does not hold any more.
    fn forget(&mut self) {
        self.found = [const { Cell::new(Found::NONE) }; REMEMBERED];
    }

    /// Changes pages `va..va + length` (rounded out to whole pages) with `change`. Pages outside
    /// every region are passed over.
    pub fn change_pages(&mut self, va: u64, length: u64, mut change: impl FnMut(&mut Page)) {
        let mut at = va & !(FRAME_SIZE as u64 - 1);
        while at < va + length {
            if let Some(i) = self.find(at) {
                let region = &mut Arc::make_mut(&mut self.regions)[i];
                let page = ((at - region.base) as usize) / FRAME_SIZE;
                let page = &mut Arc::make_mut(&mut region.pages)[page];
                let before = *page;
                change(page);
                let changed = before != *page;
                self.found[slot(at)].set(Found::NONE);
                // What was not there no TLB has.
                if changed && before.valid && before.resident {
                    self.stale.add(at);
                }
            }
            at += FRAME_SIZE as u64;
        }
    }

    /// Translations that have been taken away since this was asked last.
    #[inline]
    pub(super) fn take_stale(&mut self) -> Stale {
        match self.stale {
            Stale::Nothing => Stale::Nothing,
            _ => std::mem::take(&mut self.stale),
        }
    }

    /// The frame behind `va` for this access; a store marks it dirty.
    pub fn translate(&mut self, va: u64, access: Access) -> Result<u32, Miss> {
        let page = self.page(va).ok_or(Miss::Invalid)?;
        if !page.valid {
            return Err(Miss::Invalid);
        }
        if !page.resident {
            return Err(Miss::NotResident);
        }
        match access {
            Access::Write if !page.rights.write => Err(Miss::Rights),
            Access::Execute if !page.rights.execute => Err(Miss::Rights),
            Access::Write => {
                self.mark_dirty(page.frame);
                Ok(page.frame)
            }
            _ => Ok(page.frame),
        }
    }

    /// Why `va` cannot be accessed so, or `None` if it can.
    pub fn miss(&self, va: u64, access: Access) -> Option<Miss> {
        let page = match self.page(va) {
            None => return Some(Miss::Invalid),
            Some(page) => page,
        };
        if !page.valid {
            Some(Miss::Invalid)
        } else if !page.resident {
            Some(Miss::NotResident)
        } else {
            let denied = match access {
                Access::Read => false,
                Access::Write => !page.rights.write,
                Access::Execute => !page.rights.execute,
            };
            denied.then_some(Miss::Rights)
        }
    }

    /// The virtual address of a physical one.
    pub(super) fn virtual_address(&self, physical: u64) -> u64 {
        let frame = (physical / FRAME_SIZE as u64) as usize;
        let base = self.mapped_at.get(frame).copied().unwrap_or(0);
        base + physical % FRAME_SIZE as u64
    }

    /// The rights of the page at `va`; none beyond loads where nothing is mapped.
    pub(super) fn rights(&self, va: u64) -> Rights {
        self.page(va).map_or(Rights::READ, |p| p.rights)
    }

    /// Whether the page at `va` may leave memory.
    pub fn is_pageable(&self, va: u64) -> bool {
        self.page(va).is_some_and(|p| p.pageable)
    }

    fn mark_dirty(&mut self, frame: u32) {
        if !self.is_dirty[frame as usize] {
            self.is_dirty[frame as usize] = true;
            self.dirty.push(frame);
        }
    }

    /// Whether a store to the page needs no further bookkeeping.
    pub(super) fn may_write_quietly(&self, frame: u32) -> bool {
        self.is_dirty[frame as usize]
    }

    /// Reads guest memory as the kernel does: rights do not matter, residency does not either.
    /// Returns false, with `buffer` partly filled, where nothing is mapped.
    pub fn read(&self, va: u64, buffer: &mut [u8]) -> bool {
        self.copy(va, buffer, true)
    }

    /// The same also from pages that are not valid any more: what was there last. Code of a driver
    /// that has been unloaded, or of its discarded sections, can still be looked at.
    pub(super) fn remains(&self, va: u64, buffer: &mut [u8]) -> bool {
        self.copy(va, buffer, false)
    }

    fn copy(&self, va: u64, buffer: &mut [u8], valid: bool) -> bool {
        let mut done = 0;
        while done < buffer.len() {
            let Some((frame, offset, n)) = self.chunk(va, done, buffer.len(), valid) else {
                return false;
            };
            let bytes = &self.arena.frame(frame)[offset..offset + n];
            buffer[done..done + n].copy_from_slice(bytes);
            done += n;
        }
        true
    }

    /// The bytes at `va`, or `None` where nothing is mapped. Most of what the kernel reads are numbers
    /// that lie in one page: that is one look-up and no call.
    #[inline]
    pub(crate) fn array<const N: usize>(&self, va: u64) -> Option<[u8; N]> {
        let page = self.page(va).filter(|p| p.valid)?;
        let offset = va as usize % FRAME_SIZE;
        match self.arena.frame(page.frame).get(offset..offset + N) {
            Some(bytes) => bytes.try_into().ok(),
            None => {
                let mut bytes = [0; N];
                self.read(va, &mut bytes).then_some(bytes)
            }
        }
    }

    /// Writes bytes at `va`; see [`Self::write`].
    #[inline]
    pub(crate) fn set_array<const N: usize>(&mut self, va: u64, bytes: [u8; N]) -> bool {
        let offset = va as usize % FRAME_SIZE;
        match self.page(va) {
            Some(page) if page.valid && offset + N <= FRAME_SIZE && self.journal.is_none() => {
                self.mark_dirty(page.frame);
                self.arena.frame_mut(page.frame)[offset..offset + N].copy_from_slice(&bytes);
                true
            }
            _ => self.write(va, &bytes),
        }
    }

    /// Whether the kernel can reach `length` bytes at `va`, in one page that is in memory, whatever its
    /// rights.
    #[inline]
    pub(super) fn is_at_hand(&self, va: u64, length: u64) -> bool {
        length <= FRAME_SIZE as u64 - va % FRAME_SIZE as u64
            && self.page(va).is_some_and(|p| p.valid && p.resident)
    }

    /// Writes guest memory as the kernel does (also to read-only pages). Returns false, with
    /// `data` partly written, where nothing is mapped.
    pub fn write(&mut self, va: u64, data: &[u8]) -> bool {
        if let Some(journal) = &mut self.journal {
            journal.push((va, data.len()));
        }
        let mut done = 0;
        while done < data.len() {
            let Some((frame, offset, n)) = self.chunk(va, done, data.len(), true) else {
                return false;
            };
            self.mark_dirty(frame);
            let bytes = &mut self.arena.frame_mut(frame)[offset..offset + n];
            bytes.copy_from_slice(&data[done..done + n]);
            done += n;
        }
        true
    }

    /// The part of `va + done .. va + length` that lies in one frame: frame, offset, bytes.
    /// `valid`: nothing, if the page is not.
    #[inline]
    fn chunk(
        &self,
        va: u64,
        done: usize,
        length: usize,
        valid: bool,
    ) -> Option<(u32, usize, usize)> {
        let at = va.checked_add(done as u64)?;
        let page = self.page(at).filter(|p| p.valid || !valid)?;
        let offset = at as usize % FRAME_SIZE;
        Some((page.frame, offset, (FRAME_SIZE - offset).min(length - done)))
    }

    /// Feeds the page tables and the contents of every page to a hash.
    pub fn hash_into(&self, hasher: &mut impl std::hash::Hasher) {
        use std::hash::Hash;
        for region in &*self.regions {
            (region.base, region.kind).hash(hasher);
            for page in &*region.pages {
                page.hash(hasher);
                hasher.write(self.arena.frame(page.frame));
            }
        }
    }

    /// The contents and page tables as a value.
    pub fn snapshot(&mut self) -> MemoryImage {
        if !self.dirty.is_empty() {
            let frames = Arc::make_mut(&mut self.clean);
            for &frame in &self.dirty {
                frames[frame as usize] = Arc::new(*self.arena.frame(frame));
                self.is_dirty[frame as usize] = false;
            }
            self.dirty.clear();
            // The cores may hold translations that allow quiet stores.
            self.stale = Stale::All;
        }
        MemoryImage {
            regions: self.regions.clone(),
            frames: self.clean.clone(),
        }
    }

    /// Makes memory equal to `image`, copying only frames that may differ.
    pub fn restore(&mut self, image: &MemoryImage) {
        let hot = Arc::ptr_eq(&self.clean, &image.frames) && self.dirty.len() <= HOT;
        if Arc::ptr_eq(&self.clean, &image.frames) {
            for &frame in &self.dirty {
                self.arena
                    .frame_mut(frame)
                    .copy_from_slice(&image.frames[frame as usize][..]);
                self.is_dirty[frame as usize] = hot;
            }
        } else {
            for frame in 0..self.is_dirty.len() {
                let same = Arc::ptr_eq(&self.clean[frame], &image.frames[frame]);
                if self.is_dirty[frame] || !same {
                    self.arena
                        .frame_mut(frame as u32)
                        .copy_from_slice(&image.frames[frame][..]);
                    self.is_dirty[frame] = false;
                }
            }
            self.clean = image.frames.clone();
        }
        if !hot {
            self.dirty.clear();
            // The cores may hold translations that allow quiet stores.
            self.stale = Stale::All;
        }
        if !Arc::ptr_eq(&self.regions, &image.regions) {
            self.regions = image.regions.clone();
            self.forget();
            self.stale = Stale::All;
        }
    }
}

/// Host memory that all emulated cores share.
struct Arena {
    base: *mut u8,
    length: usize,
}

impl Arena {
    fn layout(length: usize) -> std::alloc::Layout {
        std::alloc::Layout::from_size_align(length, FRAME_SIZE).expect("an arena has a sane size")
    }

    fn new(length: usize) -> Arena {
        // SAFETY: the layout is not empty; the pointer is checked below.
        let base = unsafe { std::alloc::alloc_zeroed(Arena::layout(length)) };
        assert!(!base.is_null(), "the host has no memory for the machine");
        Arena { base, length }
    }

    fn frame(&self, frame: u32) -> &Frame {
        let offset = frame as usize * FRAME_SIZE;
        assert!(offset < self.length);
        // SAFETY: inside the arena, aligned to the frame size; no core runs while the kernel reads.
        unsafe { &*self.base.add(offset).cast::<Frame>() }
    }

    fn frame_mut(&mut self, frame: u32) -> &mut Frame {
        let offset = frame as usize * FRAME_SIZE;
        assert!(offset < self.length);
        // SAFETY: as in `frame`, and `self` is borrowed mutably.
        unsafe { &mut *self.base.add(offset).cast::<Frame>() }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with the same layout.
        unsafe { std::alloc::dealloc(self.base, Arena::layout(self.length)) }
    }
}

// SAFETY: the arena is owned by one machine, which moves between threads as a whole.
unsafe impl Send for Arena {}

impl isa::Mem for Memory {
    fn read(&self, va: u64, buffer: &mut [u8]) -> bool {
        Memory::read(self, va, buffer)
    }

    fn read_u8(&self, va: u64) -> Option<u8> {
        self.array(va).map(u8::from_le_bytes)
    }

    fn read_u16(&self, va: u64) -> Option<u16> {
        self.array(va).map(u16::from_le_bytes)
    }

    fn read_u32(&self, va: u64) -> Option<u32> {
        self.array(va).map(u32::from_le_bytes)
    }

    fn read_u64(&self, va: u64) -> Option<u64> {
        self.array(va).map(u64::from_le_bytes)
    }
}

impl isa::MemMut for Memory {
    fn write(&mut self, va: u64, data: &[u8]) -> bool {
        Memory::write(self, va, data)
    }
}
