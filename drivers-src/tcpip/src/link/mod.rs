//! The adapters: binding, frames going out, frames coming in.

pub mod adapter;
pub mod frame;
pub mod packet;
pub mod protocol;
pub mod receive;
