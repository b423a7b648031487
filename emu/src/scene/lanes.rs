//! The lanes of a run: for each core its IRQL as a height and its events as marks, with sums over
//! blocks of events, so that what a cell of any width shows is looked up and not counted.

use super::mark::Mark;
use crate::report::Height;
use crate::trace::{Event, EventKind};
use isa::Profile;

/// Events of the smallest block that has a sum: a power of two.
const BLOCK: usize = 64;

/// What lanes know of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Its core.
    pub core: u8,
    /// The height of the core's IRQL after it.
    pub height: Height,
    /// What it is on the lanes.
    pub mark: Option<Mark>,
    /// For a choice: whether something else happened than would by itself.
    pub deviates: bool,
}

impl Spot {
    /// The spot of an event on a machine of this profile.
    pub fn of(profile: Profile, event: &Event) -> Spot {
        let level = match event.kind {
            EventKind::Irql { to, .. } => to,
            _ => event.irql,
        };
        Spot {
            core: event.core,
            height: Height::of(profile, level),
            mark: Mark::of(&event.kind),
            deviates: matches!(event.kind, EventKind::Choice { taken: 1.., .. }),
        }
    }
}

/// What a core does in a stretch of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The highest that its IRQL is after any of its events; unknown if it has none.
    pub highest: Height,
    /// How high it is after the last of them.
    pub last: Height,
    /// The first of its marks in the order of [`Mark`], choices left out.
    pub mark: Option<Mark>,
}

impl Sum {
    const NOTHING: Sum = Sum {
        highest: Height::Unknown,
        last: Height::Unknown,
        mark: None,
    };

    fn add(&mut self, later: Sum) {
        self.highest = self.highest.max(later.highest);
        if later.last != Height::Unknown {
            self.last = later.last;
        }
        self.mark = self.mark.into_iter().chain(later.mark).min();
    }
}

/// What is decided in a stretch of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decided {
    /// Nothing.
    Nothing,
    /// There are choices, and what would happen by itself does.
    Choices,
    /// Something else happens at one of them.
    Deviates,
}

impl Decided {
    fn by(spot: &Spot) -> Decided {
        match (spot.mark, spot.deviates) {
            (Some(Mark::Choice), true) => Self::Deviates,
            (Some(Mark::Choice), false) => Self::Choices,
            _ => Self::Nothing,
        }
    }
}

/// The sums of all blocks of one size.
struct Level {
    /// Of each block, and of each core in it.
    sums: Vec<Sum>,
    decided: Vec<Decided>,
}

/// The lanes of a run.
pub struct Lanes {
    cpus: usize,
    spots: Vec<Spot>,
    /// Blocks of [`BLOCK`] events, of twice as many, and so on up to one block.
    levels: Vec<Level>,
    /// How high each core's IRQL is before each of the smallest blocks.
    before: Vec<Height>,
}

impl Lanes {
    /// The lanes of these events on so many cores. An event of a core that is not there is on no
    /// lane.
    pub fn new(cpus: u8, spots: Vec<Spot>) -> Lanes {
        let mut lanes = Lanes {
            cpus: usize::from(cpus),
            spots,
            levels: Vec::new(),
            before: Vec::new(),
        };
        let blocks = lanes.spots.len().div_ceil(BLOCK);
        let mut heights = vec![Height::Unknown; lanes.cpus];
        let mut level = lanes.level(blocks, |lanes, block, sums| {
            lanes.count(block * BLOCK, (block + 1) * BLOCK, sums)
        });
        for block in 0..blocks {
            lanes.before.extend_from_slice(&heights);
            let sums = &level.sums[block * lanes.cpus..][..lanes.cpus];
            let known = heights.iter_mut().zip(sums);
            let known = known.filter(|(_, sum)| sum.last != Height::Unknown);
            known.for_each(|(height, sum)| *height = sum.last);
        }
        loop {
            let (cpus, blocks) = (lanes.cpus, level.decided.len());
            lanes.levels.push(level);
            if blocks <= 1 {
                return lanes;
            }
            level = lanes.level(blocks.div_ceil(2), |lanes, block, sums| {
                let below = lanes.levels.last().expect("one has been made");
                let mut decided = Decided::Nothing;
                for half in (2 * block..blocks).take(2) {
                    let halves = &below.sums[half * cpus..][..cpus];
                    sums.iter_mut().zip(halves).for_each(|(a, b)| a.add(*b));
                    decided = decided.max(below.decided[half]);
                }
                decided
            });
        }
    }

    fn level(&self, blocks: usize, sum: impl Fn(&Lanes, usize, &mut [Sum]) -> Decided) -> Level {
        let mut level = Level {
            sums: vec![Sum::NOTHING; blocks * self.cpus],
            decided: Vec::with_capacity(blocks),
        };
        for block in 0..blocks {
            let sums = &mut level.sums[block * self.cpus..][..self.cpus];
            level.decided.push(sum(self, block, sums));
        }
        level
    }

    /// Sums event by event.
    fn count(&self, from: usize, to: usize, sums: &mut [Sum]) -> Decided {
        let mut decided = Decided::Nothing;
        let to = to.min(self.spots.len());
        for spot in &self.spots[from.min(to)..to] {
            if let Some(sum) = sums.get_mut(usize::from(spot.core)) {
                sum.add(Sum {
                    highest: spot.height,
                    last: spot.height,
                    mark: spot.mark.filter(|mark| *mark != Mark::Choice),
                });
            }
            decided = decided.max(Decided::by(spot));
        }
        decided
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.spots.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.spots.is_empty()
    }

    /// Number of cores.
    pub fn cpus(&self) -> usize {
        self.cpus
    }

    /// An event's spot.
    pub fn spot(&self, event: usize) -> Option<&Spot> {
        self.spots.get(event)
    }

    /// What each core does in the `length` events from `from` on, and what is decided there. Fast
    /// where the length is a power of two and `from` a multiple of it.
    pub fn cell(&self, from: usize, length: usize) -> (Vec<Sum>, Decided) {
        let level = (length / BLOCK).checked_ilog2().map(|level| level as usize);
        let aligned = length.is_power_of_two() && from.is_multiple_of(length.max(1));
        // A cell as wide as the whole run has no block of its own size.
        let level = level.map(|level| level.min(self.levels.len() - 1));
        match level.map(|level| &self.levels[level]) {
            Some(level) if aligned => {
                let block = from / length;
                let sums = level.sums.get(block * self.cpus..(block + 1) * self.cpus);
                let nothing = || vec![Sum::NOTHING; self.cpus];
                let decided = level.decided.get(block).copied();
                (
                    sums.map_or_else(nothing, <[Sum]>::to_vec),
                    decided.unwrap_or(Decided::Nothing),
                )
            }
            _ => {
                let mut sums = vec![Sum::NOTHING; self.cpus];
                let decided = self.count(from, from.saturating_add(length), &mut sums);
                (sums, decided)
            }
        }
    }

    /// How high each core's IRQL is before an event.
    pub fn heights_before(&self, event: usize) -> Vec<Height> {
        let event = event.min(self.spots.len());
        // Behind the last event there may be no block.
        let block = (event / BLOCK).min((self.before.len() / self.cpus.max(1)).saturating_sub(1));
        let known = self.before.get(block * self.cpus..(block + 1) * self.cpus);
        let mut heights = known.map_or_else(|| vec![Height::Unknown; self.cpus], <[_]>::to_vec);
        for spot in &self.spots[block * BLOCK..event] {
            if let Some(height) = heights.get_mut(usize::from(spot.core)) {
                *height = spot.height;
            }
        }
        heights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events on three cores, the third of which is silent for a long time; the same every time.
    fn spots(count: usize) -> Vec<Spot> {
        let heights = [Height::Passive, Height::Dispatch, Height::Device];
        let mut at = 0x9E37_79B9u64;
        let mut next = |below: usize| {
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (at >> 33) as usize % below
        };
        let spot = |i: usize| Spot {
            core: if i == 3 || i > 900 { 2 } else { next(2) as u8 },
            height: heights[next(3)],
            mark: Some(Mark::ALL[next(Mark::ALL.len())]).filter(|_| next(3) == 0),
            deviates: next(2) == 0,
        };
        (0..count).map(spot).collect()
    }

    #[test]
    fn blocks_sum_what_is_in_them() {
        for count in [0, 1, 63, 64, 65, 128, 1000, 1025] {
            let lanes = Lanes::new(3, spots(count));
            for length in (0..14).map(|n| 1 << n) {
                for from in (0..count + 2 * length).step_by(length) {
                    let mut sums = vec![Sum::NOTHING; 3];
                    let decided = lanes.count(from, from + length, &mut sums);
                    let found = lanes.cell(from, length);
                    assert_eq!(found, (sums, decided), "{count}: {length} from {from}");
                }
            }
            // What is not aligned is counted.
            let mut sums = vec![Sum::NOTHING; 3];
            let decided = lanes.count(5, 5 + 128, &mut sums);
            assert_eq!(lanes.cell(5, 128), (sums, decided));
        }
    }

    #[test]
    fn heights_go_on_until_the_next_event_of_the_core() {
        let all = spots(1000);
        let lanes = Lanes::new(3, all.clone());
        for event in 0..=1000 {
            let before = |core: u8| {
                let last = all[..event].iter().rev().find(|spot| spot.core == core);
                last.map_or(Height::Unknown, |spot| spot.height)
            };
            let expected: Vec<Height> = (0..3).map(before).collect();
            assert_eq!(lanes.heights_before(event), expected, "before {event}");
        }
        assert_eq!(Lanes::new(2, Vec::new()).heights_before(0).len(), 2);
    }
}
