//! ipnat.sys
#![cfg_attr(windows, no_std)]

pub mod address;
pub mod checksum;
pub mod ioctl;
pub mod pool;
pub mod ports;
