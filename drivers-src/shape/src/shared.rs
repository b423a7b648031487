//! Fields and locks that threads share.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence};

use nt::interlocked::{InterlockedDecrement, InterlockedIncrement};
use nt::spin::{KeAcquireSpinLock, KeReleaseSpinLock};
use nt::types::{KIRQL, KSPIN_LOCK};

/// A field that several threads use: a read is one load, a write one store.
#[repr(transparent)]
pub struct Shared<T>(UnsafeCell<T>);

// Racing on it is what the shapes are about; every access is volatile and of one machine word.
unsafe impl<T> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// A field with its first value.
    pub const fn new(value: T) -> Self {
        Shared(UnsafeCell::new(value))
    }

    /// Loads it.
    #[inline(always)]
    pub fn read(&self) -> T {
        let value = unsafe { self.0.get().read_volatile() };
        // Else a store of the sum to the same place becomes one `inc` on x86, although both are
        // volatile.
        compiler_fence(Ordering::SeqCst);
        value
    }

    /// Stores to it.
    #[inline(always)]
    pub fn write(&self, value: T) {
        unsafe { self.0.get().write_volatile(value) }
    }
}

impl Shared<u32> {
    /// Loads it atomically, as `ReadULongAcquire` of `wdm.h` does: who finds what was
    /// [stored](Self::write_release) also finds what was done before.
    #[inline(always)]
    pub fn read_acquire(&self) -> u32 {
        unsafe { AtomicU32::from_ptr(self.0.get()) }.load(Ordering::Acquire)
    }

    /// Stores to it atomically, as `WriteULongRelease` of `wdm.h` does.
    #[inline(always)]
    pub fn write_release(&self, value: u32) {
        unsafe { AtomicU32::from_ptr(self.0.get()) }.store(value, Ordering::Release)
    }
}

impl Shared<i32> {
    /// Adds 1 as `+= 1` does: on x86 and x64 by one instruction that loads and stores.
    #[inline(always)]
    pub fn add_one(&self) {
        let at = self.0.get();
        unsafe { at.write_volatile(at.read_volatile() + 1) }
    }

    /// Adds 1 atomically; gives the new value.
    #[inline(always)]
    pub fn increment(&self) -> i32 {
        unsafe { InterlockedIncrement(self.0.get()) }
    }

    /// Subtracts 1 atomically; gives the new value.
    #[inline(always)]
    pub fn decrement(&self) -> i32 {
        unsafe { InterlockedDecrement(self.0.get()) }
    }
}

/// An executive spin lock.
#[repr(transparent)]
pub struct SpinLock(UnsafeCell<KSPIN_LOCK>);

// The kernel's functions are made for it.
unsafe impl Sync for SpinLock {}

impl SpinLock {
    /// A free lock, as `KeInitializeSpinLock` leaves it.
    pub const fn free() -> Self {
        SpinLock(UnsafeCell::new(0))
    }

    /// `KeAcquireSpinLock`; gives the old IRQL. IRQL <= DISPATCH.
    #[inline(always)]
    pub fn acquire(&self) -> KIRQL {
        unsafe { KeAcquireSpinLock(self.0.get()) }
    }

    /// `KeReleaseSpinLock`, with what [`acquire`](Self::acquire) gave.
    #[inline(always)]
    pub fn release(&self, old: KIRQL) {
        unsafe { KeReleaseSpinLock(self.0.get(), old) };
        // Else it becomes a jump at the end of a thread, and nobody sees who released the lock.
        compiler_fence(Ordering::SeqCst);
    }
}
