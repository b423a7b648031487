//! What a C runtime would bring to a driver that links none.
//!
//! The compiler may call `memcpy` and its family, and on 32-bit x86 the division helpers of the
//! Microsoft compiler, wherever it likes. A driver here carries its own, so that a copy that runs
//! off a chain faults with its program counter inside the driver, as an inlined copy does.
//!
//! Nothing calls this crate by name: the bindings crate links it in with `extern crate crt as _`.
//! On any other system than Windows it is empty, so that a driver's pure parts test on the host.

#![no_std]
// Without this the optimiser would see a copy loop in `memcpy` and replace it by a call of `memcpy`.
#![no_builtins]

#[cfg(windows)]
mod memory;

#[cfg(all(windows, target_arch = "x86"))]
mod division;

/// The mark by which objects that use floating point ask the C runtime for its support. The
/// precompiled `core` carries it although no driver here touches a floating-point register.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub static _fltused: i32 = 0;

/// The handler of C++ exception frames, named by the unwind tables of the precompiled `core`.
///
/// Nothing unwinds: drivers are built with `panic = "abort"`. Should an exception be dispatched
/// through such a frame all the same, "continue the search" is the right answer.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn __CxxFrameHandler3() -> i32 {
    const EXCEPTION_CONTINUE_SEARCH: i32 = 1;
    EXCEPTION_CONTINUE_SEARCH
}
