//! The services as NT gives them.

use core::cell::UnsafeCell;

use nt::types::{KIRQL, KSPIN_LOCK};
use nt::{ex, irql, ke, spin};

pub type Irql = KIRQL;

#[inline(always)]
pub fn raise_to_dispatch() -> Irql {
    unsafe { irql::KeRaiseIrql(irql::DISPATCH_LEVEL) }
}

#[inline(always)]
pub fn lower(irql: Irql) {
    unsafe { irql::KeLowerIrql(irql) }
}

#[repr(transparent)]
pub struct LockWord(UnsafeCell<KSPIN_LOCK>);

impl LockWord {
    pub const fn free() -> LockWord {
        LockWord(UnsafeCell::new(0))
    }

    #[inline(always)]
    pub fn acquire(&self) {
        unsafe { spin::KeAcquireSpinLockAtDpcLevel(self.0.get()) }
    }

    #[inline(always)]
    pub fn release(&self) {
        unsafe { spin::KeReleaseSpinLockFromDpcLevel(self.0.get()) }
    }
}

/// Allocates from nonpaged pool, not cleared; null if there is none. IRQL <= DISPATCH.
#[inline(always)]
pub fn allocate(bytes: usize, tag: &[u8; 4]) -> *mut u8 {
    let tag = nt::types::tag(tag);
    unsafe { ex::ExAllocatePoolWithTag(ex::NonPagedPool, bytes, tag).cast() }
}

/// Frees what [`allocate`] gave. IRQL <= DISPATCH.
///
/// # Safety
/// The block is allocated and nobody uses it any more.
#[inline(always)]
pub unsafe fn free(block: *mut u8) {
    unsafe { ex::ExFreePool(block.cast()) }
}

/// Clock ticks since the start, modulo 2^32.
#[inline(always)]
pub fn ticks() -> u32 {
    let mut count = 0;
    unsafe { ke::KeQueryTickCount(&mut count) };
    count as u32
}

/// Clock ticks in a second, at least one.
pub fn ticks_per_second() -> u32 {
    let increment = unsafe { ke::KeQueryTimeIncrement() };
    (10_000_000 / increment.max(1)).max(1)
}
