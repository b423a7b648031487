//! The upper edge: what clients see as `\Device\Tcp`, and `\Device\Ip` for the hook.

pub mod address;
pub mod dispatch;
pub mod ea;
pub mod events;
pub mod files;
