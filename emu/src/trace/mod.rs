//! What happened in a run, as typed events.

mod bytes;
pub mod event;
mod frame;
mod recorder;

pub use event::{Event, EventKind};
pub use frame::FrameContents;
pub use recorder::Recorder;
