//! What happened in a run, as typed events.

mod bytes;
pub mod event;
mod recorder;

pub use event::{Event, EventKind};
pub use recorder::Recorder;
