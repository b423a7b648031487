//! TCP, the passive side (RFC 793).
//!
//! Everything here runs at `DISPATCH_LEVEL`; who comes from below raises first. The order of locks
//! is connection, then table or address; no lock is held when the client or NDIS is called.

pub mod reasm;
pub mod receiver;
pub mod segment;
pub mod urgent;

#[cfg(windows)]
pub mod connection;
#[cfg(windows)]
pub mod deferred;
#[cfg(windows)]
pub mod deliver;
#[cfg(windows)]
pub mod handshake;
#[cfg(windows)]
pub mod input;
#[cfg(windows)]
pub mod requests;
#[cfg(windows)]
pub mod sender;
#[cfg(windows)]
pub mod table;
#[cfg(windows)]
pub mod timer;
#[cfg(windows)]
pub mod tuple;
