//! Bindings for NT kernel-mode drivers.
//!
//! Structures come from `windows-sys` wherever its layout is right for all three architectures;
//! `layout.rs` checks that at compile time. Functions are declared here, each with the module
//! and the calling convention of the real export on each architecture, one file per family: the
//! prefix of a name tells the file. NDIS 4/5, TDI and the IP hook interface, which `windows-sys`
//! does not have, are in [`ndis`], [`tdi`] and [`ip`].
//!
//! The names are NT's, so that the documentation of the Windows DDK reads on. Everything is as
//! unsafe as it is in C: the wrappers save typing, not thinking.
//!
//! On another system than Windows the crate compiles without its imports, so that the pure parts
//! of a driver can be tested on the host.

#![no_std]
#![allow(non_snake_case, non_camel_case_types, non_upper_case_globals)]
#![allow(clippy::missing_safety_doc, clippy::upper_case_acronyms)]

extern crate crt as _;

#[macro_use]
mod import;

pub mod device_control;
pub mod ex;
pub mod global;
pub mod interlocked;
pub mod io;
pub mod ip;
pub mod irp_queue;
pub mod irql;
pub mod ke;
mod layout;
pub mod list;
pub mod mm;
pub mod ndis;
pub mod ps;
pub mod registry;
pub mod rtl;
pub mod rundown;
pub mod spin;
pub mod status;
pub mod tdi;
pub mod types;
pub mod zw;

/// Ends the system when a driver's own check fails: `MANUALLY_INITIATED_CRASH` with the line of
/// the source as first parameter.
#[cfg(all(windows, not(test)))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let line = info.location().map_or(0, |at| at.line());
    unsafe { ke::KeBugCheckEx(ke::MANUALLY_INITIATED_CRASH, line as usize, 0, 0, 0) }
}
