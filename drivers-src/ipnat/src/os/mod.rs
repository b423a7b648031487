//! The few services of the kernel that translation needs, so that everything above this module
//! also runs, and is tested, on the machine that builds the driver.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

#[cfg(windows)]
mod nt;
#[cfg(windows)]
use nt as imp;

#[cfg(not(windows))]
mod host;
#[cfg(not(windows))]
use host as imp;

pub use imp::{allocate, free, ticks, ticks_per_second};
#[cfg(test)]
pub use imp::{blocks_in_use, fail_next_allocation, set_ticks};

/// Proof that this processor is at `DISPATCH_LEVEL`, where spin locks are taken.
pub struct AtDispatch {
    lower_to: Option<imp::Irql>,
    // Of this processor only: it must not travel to another thread.
    _here: PhantomData<*const ()>,
}

impl AtDispatch {
    /// Raises to `DISPATCH_LEVEL` until the value is dropped. IRQL <= DISPATCH.
    #[inline(always)]
    pub fn raise() -> AtDispatch {
        AtDispatch {
            lower_to: Some(imp::raise_to_dispatch()),
            _here: PhantomData,
        }
    }

    /// For a routine that is entered at `DISPATCH_LEVEL`.
    ///
    /// # Safety
    /// The IRQL is `DISPATCH_LEVEL` as long as the value lives.
    #[cfg(windows)]
    pub unsafe fn entered() -> AtDispatch {
        AtDispatch {
            lower_to: None,
            _here: PhantomData,
        }
    }
}

impl Drop for AtDispatch {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(irql) = self.lower_to {
            imp::lower(irql);
        }
    }
}

/// A spin lock with what it protects. All-zero bytes are a free lock over an all-zero value.
#[repr(C)]
pub struct SpinLock<T> {
    word: imp::LockWord,
    value: UnsafeCell<T>,
}

// The lock gives one processor at a time access to the value.
unsafe impl<T> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    /// A free lock.
    pub const fn new(value: T) -> SpinLock<T> {
        SpinLock {
            word: imp::LockWord::free(),
            value: UnsafeCell::new(value),
        }
    }

    /// The value, for one who has the lock to himself.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Spins until the lock is free and takes it.
    #[inline(always)]
    pub fn lock<'a>(&'a self, _: &'a AtDispatch) -> Locked<'a, T> {
        self.word.acquire();
        Locked { lock: self }
    }
}

/// What a held lock protects; dropping it releases the lock.
pub struct Locked<'a, T> {
    lock: &'a SpinLock<T>,
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Locked<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Locked<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.lock.word.release();
    }
}
