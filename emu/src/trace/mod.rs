//! What happened in a run, as typed events.

pub mod event;

pub use event::{Event, EventKind};
