//! Driver-wide variables.

use core::cell::UnsafeCell;

/// A variable of the driver image, reached by pointer. What guards it is the user's affair.
#[repr(transparent)]
pub struct Global<T>(UnsafeCell<T>);

// Sharing is exactly as safe as the uses of the pointer that `get` gives.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    /// A variable with its first value.
    pub const fn new(value: T) -> Self {
        Global(UnsafeCell::new(value))
    }

    /// Where it is.
    pub const fn get(&self) -> *mut T {
        self.0.get()
    }
}
