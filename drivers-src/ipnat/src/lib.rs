//! ipnat.sys
#![cfg_attr(windows, no_std)]

pub mod address;
pub mod checksum;
pub mod config;
pub mod flow;
pub mod icmp;
pub mod interface;
pub mod ioctl;
pub mod mapping;
pub mod nat;
pub mod os;
pub mod packet;
pub mod pool;
pub mod ports;
pub mod preserve;
pub mod requests;
pub mod reset;
pub mod session;
pub mod translate;

#[cfg(windows)]
mod chain;
#[cfg(windows)]
mod control;
#[cfg(windows)]
mod driver;
#[cfg(windows)]
mod hook;
#[cfg(windows)]
mod sweep;

#[cfg(test)]
mod tests;
