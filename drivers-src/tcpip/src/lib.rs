//! tcpip
#![cfg_attr(not(test), no_std)]
#![allow(clippy::missing_safety_doc)]
pub mod checksum;
pub mod dotted;
pub mod ipr;
pub mod seq;
pub mod tcp;
pub mod wire;
