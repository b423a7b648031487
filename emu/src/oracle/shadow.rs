//! Who accessed each byte of memory, as far as it can still matter for a race.

use std::collections::BTreeMap;

use super::clock::Clock;

/// Bytes of a word of the shadow.
const WORD: u64 = 8;

/// An access to bytes of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Index of the actor.
    pub actor: usize,
    /// How far it had got: an epoch, in the words of FastTrack.
    pub epoch: u32,
    /// Whether it was a store.
    pub write: bool,
    /// Whether it was indivisible.
    pub atomic: bool,
    /// Who knows what it was.
    pub source: u32,
}

#[derive(Clone, Copy)]
struct Cell {
    mark: Mark,
    bytes: u8,
}

/// The marks of all memory.
#[derive(Default)]
pub struct Shadow(BTreeMap<u64, Vec<Cell>>);

impl Shadow {
    /// Adds an access by an actor who knows `clock`, to `length` bytes, and gives to `race` the
    /// marks that are not ordered before it and conflict with it.
    pub fn access(
        &mut self,
        start: u64,
        length: u64,
        mark: Mark,
        clock: &Clock,
        mut race: impl FnMut(&Mark),
    ) {
        for (word, bytes) in words(start, length) {
            let cells = self.0.entry(word).or_default();
            for c in cells.iter().filter(|c| c.bytes & bytes != 0) {
                let m = &c.mark;
                let conflict = (m.write || mark.write) && !(m.atomic && mark.atomic);
                if m.actor != mark.actor && conflict && m.epoch > clock.get(m.actor) {
                    race(m);
                }
            }
            // What an access covers and comes before need not be remembered: whoever races with
            // the old one races with the new one. A read stands for reads only, an atomic one for
            // atomic ones only.
            cells.retain(|c| {
                let m = &c.mark;
                let known = m.actor == mark.actor || m.epoch <= clock.get(m.actor);
                let stands_for = (mark.write || !m.write) && (!mark.atomic || m.atomic);
                !(known && stands_for && c.bytes & !bytes == 0)
            });
            cells.push(Cell { mark, bytes });
        }
    }

    /// The bytes begin a new life.
    pub fn forget(&mut self, start: u64, length: u64) {
        for (word, bytes) in words(start, length) {
            if let Some(cells) = self.0.get_mut(&word) {
                cells.iter_mut().for_each(|c| c.bytes &= !bytes);
                cells.retain(|c| c.bytes != 0);
            }
        }
    }
}

/// The words of a range, each with a bit for each of its bytes that is in the range.
fn words(start: u64, length: u64) -> impl Iterator<Item = (u64, u8)> {
    let end = start.saturating_add(length);
    (start / WORD..end.div_ceil(WORD)).map(move |word| {
        let from = start.max(word * WORD) - word * WORD;
        let to = end.min((word + 1).saturating_mul(WORD)) - word * WORD;
        let bytes = (0xFFu16 << from) & (0xFFu16 >> (WORD - to));
        (word, bytes as u8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(actor: usize, write: bool) -> Mark {
        Mark {
            actor,
            epoch: 1,
            write,
            atomic: false,
            source: actor as u32,
        }
    }

    fn races(shadow: &mut Shadow, start: u64, length: u64, mark: Mark, clock: &Clock) -> Vec<u32> {
        let mut all = Vec::new();
        shadow.access(start, length, mark, clock, |m| all.push(m.source));
        all
    }

    #[test]
    fn bytes_of_words() {
        let all: Vec<_> = words(6, 12).collect();
        assert_eq!(all, [(0, 0xC0), (1, 0xFF), (2, 0x03)]);
        assert_eq!(words(8, 8).collect::<Vec<_>>(), [(1, 0xFF)]);
        assert_eq!(words(8, 0).count(), 0);
    }

    #[test]
    fn unordered_accesses_to_the_same_bytes_race_if_one_writes() {
        let mut s = Shadow::default();
        let nobody = Clock::default();
        assert!(races(&mut s, 0, 4, mark(0, false), &nobody).is_empty());
        assert!(races(&mut s, 0, 4, mark(1, false), &nobody).is_empty());
        assert!(races(&mut s, 4, 4, mark(2, true), &nobody).is_empty());
        assert_eq!(races(&mut s, 3, 1, mark(3, true), &nobody), [0, 1]);
    }

    #[test]
    fn what_is_known_does_not_race() {
        let mut s = Shadow::default();
        let mut knows = Clock::default();
        knows.advance(0);
        races(&mut s, 0, 8, mark(0, true), &Clock::default());
        assert!(races(&mut s, 0, 8, mark(1, true), &knows).is_empty());
        let later = Mark {
            epoch: 2,
            ..mark(0, true)
        };
        races(&mut s, 0, 8, later, &Clock::default());
        assert!(races(&mut s, 0, 1, mark(1, false), &knows).contains(&0));
    }

    #[test]
    fn atomic_accesses_race_with_plain_ones_only() {
        let mut s = Shadow::default();
        let nobody = Clock::default();
        let atomic = |actor| Mark {
            atomic: true,
            ..mark(actor, true)
        };
        races(&mut s, 0, 8, atomic(0), &nobody);
        assert!(races(&mut s, 0, 8, atomic(1), &nobody).is_empty());
        assert_eq!(races(&mut s, 0, 8, mark(2, false), &nobody), [0, 1]);
    }

    #[test]
    fn a_new_life_has_no_history() {
        let mut s = Shadow::default();
        let nobody = Clock::default();
        races(&mut s, 0, 8, mark(0, true), &nobody);
        s.forget(0, 4);
        assert!(races(&mut s, 0, 4, mark(1, true), &nobody).is_empty());
        assert_eq!(races(&mut s, 4, 4, mark(1, true), &nobody), [0]);
    }
}
