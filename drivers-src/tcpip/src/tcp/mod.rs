//! TCP, the passive side (RFC 793).

pub mod reasm;
pub mod segment;
