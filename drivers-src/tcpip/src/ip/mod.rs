//! IP version 4 (RFC 791): local delivery, and forwarding between the interfaces.
//!
//! Datagrams with options are taken, their options ignored. Fragments are dropped: there is no
//! reassembly of datagrams.

pub mod forward;
#[cfg(feature = "firewall-hook")]
pub mod hook;
#[cfg(not(feature = "firewall-hook"))]
#[path = "no_hook.rs"]
pub mod hook;
pub mod icmp;
pub mod input;
pub mod output;
pub mod route;
