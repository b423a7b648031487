//! Interlocked arithmetic: exports of the kernel on x86, instructions elsewhere, as the DDK's
//! headers have them.

#[cfg(target_arch = "x86")]
import! { "ntoskrnl.exe" "fastcall"
    /// Adds 1 atomically; gives the new value. Any IRQL.
    fn InterlockedIncrement(Addend: *mut i32) -> i32;
    /// Subtracts 1 atomically; gives the new value. Any IRQL.
    fn InterlockedDecrement(Addend: *mut i32) -> i32;
}

#[cfg(not(target_arch = "x86"))]
mod intrinsic {
    use core::sync::atomic::{AtomicI32, Ordering};

    /// Adds 1 atomically; gives the new value. Any IRQL.
    #[inline(always)]
    pub unsafe fn InterlockedIncrement(addend: *mut i32) -> i32 {
        unsafe { AtomicI32::from_ptr(addend) }
            .fetch_add(1, Ordering::SeqCst)
            .wrapping_add(1)
    }

    /// Subtracts 1 atomically; gives the new value. Any IRQL.
    #[inline(always)]
    pub unsafe fn InterlockedDecrement(addend: *mut i32) -> i32 {
        unsafe { AtomicI32::from_ptr(addend) }
            .fetch_sub(1, Ordering::SeqCst)
            .wrapping_sub(1)
    }
}

#[cfg(not(target_arch = "x86"))]
pub use intrinsic::*;
