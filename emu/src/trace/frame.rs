//! What a frame is, as events have it.

use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};
use twox_hash::XxHash3_64;

use crate::scenario;

/// A frame's contents: all of them for the trace hash, a line of words for readers. A packet is in
/// four or more events, and words cost more than everything else about them, so there are none where
/// events are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameContents {
    hash: u64,
    words: String,
}

impl FrameContents {
    /// Of the bytes of a frame; `readable`: with words.
    pub fn of(frame: &[u8], readable: bool) -> FrameContents {
        let words = match readable {
            true => scenario::summary(frame),
            false => String::new(),
        };
        let hash = XxHash3_64::oneshot(frame);
        FrameContents { hash, words }
    }

    /// One line of what is in it, for example `10.0.0.2:1025 > 10.0.0.1:21 PA seq 5 len 7`; empty in a
    /// run whose events are not kept.
    pub fn words(&self) -> &str {
        &self.words
    }
}

/// The same with and without words, as is what the trace hash has.
impl Hash for FrameContents {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl Serialize for FrameContents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, EventKind, Recorder};
    use super::*;
    use crate::position::Position;
    use crate::trace::event::PacketOp;

    fn hash(frame: &[u8], keep: bool) -> u64 {
        let mut recorder = Recorder::new(keep);
        let kind = EventKind::Packet {
            op: PacketOp::Sent,
            adapter: 0,
            number: 0,
            length: frame.len() as u32,
            contents: FrameContents::of(frame, keep),
        };
        let event = Event {
            at: Position::default(),
            core: 0,
            irql: 0,
            pc: 0,
            kind,
        };
        recorder.record(event, None);
        recorder.hash()
    }

    #[test]
    fn the_hash_is_over_every_byte_whether_there_are_words_or_not() {
        let (frame, mut other) = ([7; 60], [7; 60]);
        other[59] = 8;
        assert_eq!(hash(&frame, false), hash(&frame, true));
        assert_ne!(hash(&frame, false), hash(&other, false));
        assert_eq!(FrameContents::of(&frame, false).words(), "");
        assert_eq!(FrameContents::of(&frame, true).words(), "frame of 60 bytes");
    }
}
