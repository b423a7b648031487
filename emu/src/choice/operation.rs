//! What the next step of an actor touches: whether two steps can be told apart by their order.
//!
//! Everything is a range of guest memory, kernel objects included: a spin lock is its lock word, an
//! event its KEVENT, a freed block its bytes. So one relation serves memory, locks and objects.

/// How a step touches a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Effect {
    /// Looks at it.
    Read,
    /// Changes it.
    Write,
    /// Can only happen while the object allows it, and takes it: a lock is acquired, a wait ends.
    Acquire,
    /// Lets others acquire it: a lock is released, an event signalled, a thread ends.
    Release,
}

/// One range that a step touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Touch {
    /// First address.
    pub start: u64,
    /// Bytes.
    pub length: u32,
    /// How.
    pub effect: Effect,
}

impl Touch {
    fn overlaps(&self, other: &Touch) -> bool {
        self.start < other.start.saturating_add(u64::from(other.length))
            && other.start < self.start.saturating_add(u64::from(self.length))
    }
}

/// All that a step touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Operation {
    touches: [Touch; Operation::MOST],
    count: u8,
    /// It may touch anything: its order with every other step matters.
    anything: bool,
}

impl Operation {
    const MOST: usize = 4;

    /// Nothing that another actor could see.
    pub const LOCAL: Operation = Operation {
        touches: [Touch {
            start: 0,
            length: 0,
            effect: Effect::Read,
        }; Operation::MOST],
        count: 0,
        anything: false,
    };

    /// Anything: what is not known.
    pub const ANYTHING: Operation = Operation {
        anything: true,
        ..Operation::LOCAL
    };

    /// Touches one range.
    pub fn one(start: u64, length: u32, effect: Effect) -> Operation {
        Operation::LOCAL.and(start, length, effect)
    }

    /// Touches another range as well. What has too many touches anything.
    #[must_use]
    pub fn and(mut self, start: u64, length: u32, effect: Effect) -> Operation {
        let touch = Touch {
            start,
            length,
            effect,
        };
        match self.touches.get_mut(usize::from(self.count)) {
            Some(free) => {
                *free = touch;
                self.count += 1;
            }
            None => self.anything = true,
        }
        self
    }

    /// What it touches, as far as it is known.
    pub fn touches(&self) -> &[Touch] {
        &self.touches[..usize::from(self.count)]
    }

    /// Whether no other actor could see it.
    pub fn is_local(&self) -> bool {
        self.count == 0 && !self.anything
    }

    /// Whether it may touch anything.
    pub fn is_anything(&self) -> bool {
        self.anything
    }

    /// Whether the order of the two matters: they are dependent, in the words of partial-order
    /// reduction.
    pub fn conflicts(&self, other: &Operation) -> bool {
        if self.anything || other.anything {
            return !self.is_local() && !other.is_local();
        }
        self.pairs(other)
            .any(|(a, b)| a.effect != Effect::Read || b.effect != Effect::Read)
    }

    /// Whether the two, adjacent and in this order, could also have happened in the other order.
    /// An acquisition could not have come before the release that made it possible.
    pub fn reversible(&self, later: &Operation) -> bool {
        if self.anything || later.anything {
            return self.conflicts(later);
        }
        self.pairs(later).any(|(a, b)| {
            !matches!(
                (a.effect, b.effect),
                (Effect::Read, Effect::Read)
                    | (Effect::Release, Effect::Acquire)
                    | (Effect::Acquire, Effect::Release)
            )
        })
    }

    fn pairs<'a>(&'a self, other: &'a Operation) -> impl Iterator<Item = (&'a Touch, &'a Touch)> {
        let all = self.touches().iter();
        all.flat_map(|a| other.touches().iter().map(move |b| (a, b)))
            .filter(|(a, b)| a.overlaps(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_matters_where_one_changes_what_the_other_touches() {
        let read = Operation::one(0x10, 4, Effect::Read);
        let write = Operation::one(0x12, 4, Effect::Write);
        let elsewhere = Operation::one(0x16, 4, Effect::Write);
        assert!(read.conflicts(&write) && write.conflicts(&read) && write.conflicts(&write));
        assert!(!read.conflicts(&read) && !elsewhere.conflicts(&write));
        assert!(Operation::ANYTHING.conflicts(&read));
        assert!(!Operation::ANYTHING.conflicts(&Operation::LOCAL));
    }

    #[test]
    fn an_acquisition_does_not_come_before_its_release() {
        let acquire = Operation::one(0x10, 8, Effect::Acquire);
        let release = Operation::one(0x10, 8, Effect::Release);
        assert!(release.conflicts(&acquire) && !release.reversible(&acquire));
        assert!(acquire.reversible(&acquire));
    }

    #[test]
    fn what_touches_too_much_touches_anything() {
        let much = (0..5).fold(Operation::LOCAL, |o, i| o.and(i * 8, 4, Effect::Read));
        assert!(much.is_anything() && much.touches().len() == 4);
    }
}
