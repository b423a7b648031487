//! The shortest schedule that still stops in the same way: fewest faults first, then fewest
//! preemptions, then fewest other moves.
//!
//! Moves are left out by delta debugging (Zeller, Hildebrandt, "Simplifying and Isolating
//! Failure-Inducing Input", 2002), on schedules told by what their actors have done, so that a move
//! keeps its meaning when those before it go. What is left is 1-minimal: without any one of its
//! moves and without any two of them the run does not stop like that. From there it goes on in two
//! ways: where runs are short, all schedules with fewer faults or fewer preemptions are tried, which
//! makes the numbers the smallest there are; where they are not, runs with fewer preemptions are drawn
//! (see [`directed`](super::directed)) and shrunk in turn, which makes it the smallest that is known.

use super::anchored::{Anchored, Move, Translate};
use super::directed::{Directed, Places};
use super::{Bound, Dfs, Outcome, Search, Signature, signature};
use crate::campaign::Campaign;
use crate::choice::strategy::Replay;
use crate::choice::{Moves, Strategy};
use crate::machine::Ended;

/// A schedule after shrinking.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The run: replaying its moves stops in the same way, which has been tried.
    pub ended: Ended,
    /// Faults that strike in it because the schedule says so.
    pub faults: usize,
    /// Its preemptions: see [`crate::choice::Deviation`].
    pub preemptions: usize,
    /// Other moves.
    pub others: usize,
    /// No schedule with fewer preemptions stops like that: all of them have been run. Where faults
    /// strike, all with fewer faults or fewer preemptions and no more of the other and of arrivals.
    pub fewest: bool,
    /// Runs that it took.
    pub runs: u64,
}

/// Runs after which leaving moves out of one schedule ends.
const RUNS: u64 = 1000;
/// Moves up to which leaving out pairs is tried.
const PAIRS: usize = 32;
/// Choices, in all runs together, that the search below may cost.
const CHOICES_BELOW: u64 = 2_000_000;
/// Preemptions up to which that search comes before the directed one.
const FEW: usize = 2;
/// Directed runs that are made with each number of preemptions, more where they are so short that
/// all together have fewer choices than that; fewer with none at all, since what takes none is rare
/// and mostly found before.
const DIRECTED: u64 = 1500;
const DIRECTED_CHOICES: u64 = 200_000;
const DIRECTED_WITHOUT: u64 = 50;
/// Of those that stop, how many are shrunk.
const SHRUNK: usize = 3;

/// Shrinks the schedule `moves`, whose run stops as `wanted`. `None` if it does not, or not again.
pub fn shrink(campaign: &mut Campaign, moves: &Moves, wanted: &Signature) -> Option<Shrunk> {
    shrink_best(campaign, std::slice::from_ref(moves), wanted)
}

/// The shortest that several schedules whose runs stop as `wanted` lead to. `None` if no run stops
/// like that, or not again.
pub fn shrink_best(
    campaign: &mut Campaign,
    schedules: &[Moves],
    wanted: &Signature,
) -> Option<Shrunk> {
    let mut shrinker = Shrinker {
        campaign,
        wanted,
        runs: 0,
    };
    let mut best: Option<Small> = None;
    let mut places = Places::default();
    for moves in schedules {
        let Some(small) = shrinker.reduce(moves) else {
            continue;
        };
        places.add(&small.preempting);
        keep(&mut best, small);
        // From a long one, directed runs lead further than the other schedules.
        let done = |b: &Small| b.preempting.is_empty() || b.preempting.len() > FEW;
        if best.as_ref().is_some_and(done) {
            break;
        }
    }
    let mut best = best?;
    let few = best.preempting.len() <= FEW && best.faults.len() <= FEW;
    let mut fewest = few && shrinker.exhaust(&mut best);
    if !fewest && shrinker.direct(&mut places, &mut best) {
        fewest = shrinker.exhaust(&mut best);
    }
    // What is shown is what a replay does.
    let replay = Replay::new(best.ended.moves.clone());
    let replayed = shrinker.run(Box::new(replay)).0?;
    (replayed.trace_hash == best.ended.trace_hash).then_some(Shrunk {
        ended: replayed,
        faults: best.faults.len(),
        preemptions: best.preempting.len(),
        others: best.others.len(),
        fewest,
        runs: shrinker.runs,
    })
}

/// A schedule, told by its actors, and its run.
struct Small {
    faults: Vec<Move>,
    preempting: Vec<Move>,
    others: Vec<Move>,
    ended: Ended,
}

impl Small {
    fn new(moves: Vec<Move>, ended: Ended) -> Small {
        let (faults, moves): (Vec<Move>, Vec<Move>) = moves.into_iter().partition(Move::strikes);
        let (preempting, others) = moves.into_iter().partition(Move::preempts);
        Small {
            faults,
            preempting,
            others,
            ended,
        }
    }

    fn rank(&self) -> (usize, usize, usize, u64) {
        let (faults, preempting) = (self.faults.len(), self.preempting.len());
        (faults, preempting, self.others.len(), self.ended.choices)
    }

    fn len(&self) -> usize {
        self.faults.len() + self.preempting.len() + self.others.len()
    }

    fn part(&mut self, part: Part) -> &mut Vec<Move> {
        match part {
            Part::Faults => &mut self.faults,
            Part::Preempting => &mut self.preempting,
            Part::Others => &mut self.others,
        }
    }

    fn moves(&self) -> impl Iterator<Item = &Move> {
        let faults = self.faults.iter();
        faults.chain(&self.preempting).chain(&self.others)
    }
}

/// The moves of a schedule by what they cost, the dearest first.
#[derive(Clone, Copy)]
enum Part {
    Faults,
    Preempting,
    Others,
}

/// Keeps the shorter of two; of equals the first.
fn keep(best: &mut Option<Small>, small: Small) {
    if best.as_ref().is_none_or(|b| small.rank() < b.rank()) {
        *best = Some(small);
    }
}

/// What came of looking for a schedule with fewer preemptions.
enum Below {
    Found(Ended),
    Nothing,
    TooMuch,
}

struct Shrinker<'a> {
    campaign: &'a mut Campaign,
    wanted: &'a Signature,
    runs: u64,
}

impl Shrinker<'_> {
    /// Runs a strategy; the run only if it stops as wanted.
    fn run(&mut self, strategy: Box<dyn Strategy>) -> (Option<Ended>, Box<dyn std::any::Any>) {
        self.runs += 1;
        let (ended, strategy) = self.campaign.run_and_return(strategy);
        let (found, _) = signature(&ended.stop, self.campaign.machine());
        ((found == *self.wanted).then_some(ended), strategy)
    }

    /// Tells a schedule by its actors.
    fn tell(&mut self, moves: &Moves) -> Option<Small> {
        let (ended, strategy) = self.run(Box::new(Translate::new(moves.clone())));
        let told = strategy.downcast::<Translate>().ok()?.told;
        Some(Small::new(told, ended?))
    }

    /// Leaves out of a schedule what is not needed.
    fn reduce(&mut self, moves: &Moves) -> Option<Small> {
        let mut small = self.tell(moves)?;
        let until = self.runs + RUNS;
        loop {
            let before = small.len();
            for part in [Part::Faults, Part::Preempting, Part::Others] {
                self.minimise(&mut small, part, until);
            }
            if small.len() == before && !self.without_pair(&mut small, until) {
                break;
            }
        }
        // Some of the moves may not have been possible, or may preempt nobody any more.
        self.tell(&small.ended.moves)
    }

    /// Leaves out of a part of the moves what is not needed, as long as fewer than `until` runs have
    /// been made.
    fn minimise(&mut self, small: &mut Small, part: Part, until: u64) {
        let mut moves = std::mem::take(small.part(part));
        let kept: Vec<Move> = small.moves().copied().collect();
        let mut parts = 2;
        // Often nothing is needed at all.
        let mut attempts = vec![Vec::new()];
        while !moves.is_empty() && self.runs < until {
            let size = moves.len().div_ceil(parts);
            if attempts.is_empty() {
                let chunks = moves.chunks(size).enumerate();
                let without = |i: usize| {
                    let rest = moves.chunks(size).enumerate();
                    let rest = rest.filter(|(j, _)| *j != i).flat_map(|(_, c)| c);
                    rest.copied().collect::<Vec<Move>>()
                };
                // The last moves matter most, so the first are left out first.
                attempts = chunks.map(|(i, _)| without(i)).collect();
            }
            let smaller = attempts.into_iter().find_map(|attempt| {
                let strategy = Anchored::new(attempt.iter().chain(&kept));
                let ended = self.run(Box::new(strategy)).0?;
                Some((attempt, ended))
            });
            attempts = Vec::new();
            match smaller {
                Some((attempt, ended)) => {
                    moves = attempt;
                    small.ended = ended;
                    parts = (parts - 1).max(2);
                }
                None if size == 1 => break,
                None => parts = (parts * 2).min(moves.len()),
            }
        }
        *small.part(part) = moves;
    }

    /// Leaves out two moves at once, which may only work together: a core that takes over, and the
    /// one that takes back; a packet, and its interrupt. True if there were two.
    fn without_pair(&mut self, small: &mut Small, until: u64) -> bool {
        let all: Vec<Move> = small.moves().copied().collect();
        if all.len() > PAIRS {
            return false;
        }
        let pairs = (0..all.len()).flat_map(|i| (i + 1..all.len()).map(move |j| (i, j)));
        for (i, j) in pairs {
            if self.runs >= until {
                return false;
            }
            let kept = (0..all.len()).filter(|&n| n != i && n != j);
            let strategy = Anchored::new(kept.clone().map(|n| &all[n]));
            if let Some(ended) = self.run(Box::new(strategy)).0 {
                *small = Small::new(kept.map(|n| all[n]).collect(), ended);
                return true;
            }
        }
        false
    }

    /// Draws runs with fewer preemptions, made where known schedules make them, the fewest first.
    /// Those that stop as wanted are shrunk, and tell of places in turn. True if there were any.
    fn direct(&mut self, places: &mut Places, best: &mut Small) -> bool {
        let before = best.preempting.len();
        let mut most = 0;
        let mut seeds = 1..;
        while most < best.preempting.len() {
            let tries = match most {
                0 => DIRECTED_WITHOUT,
                _ => DIRECTED.max(DIRECTED_CHOICES / best.ended.choices.max(1)),
            };
            let mut found = Vec::new();
            for seed in seeds.by_ref().take(tries as usize) {
                let strategy = Directed::new(seed, places, most, &best.faults);
                if let Some(ended) = self.run(Box::new(strategy)).0 {
                    found.push(ended.moves);
                }
                if found.len() == SHRUNK {
                    break;
                }
            }
            let mut small = None;
            for moves in found {
                if let Some(one) = self.reduce(&moves) {
                    places.add(&one.preempting);
                    keep(&mut small, one);
                }
            }
            most += 1;
            if let Some(small) = small.filter(|small| small.rank() < best.rank()) {
                // With places that were not known before, fewer may do.
                most = usize::from(small.preempting.len() > 1);
                *best = small;
            }
        }
        best.preempting.len() < before
    }

    /// Runs all schedules with fewer preemptions, and where faults strike all with fewer faults, too:
    /// see [`Shrunk::fewest`]. True if that has shown that there are none that stop as wanted, false
    /// if they are too many.
    fn exhaust(&mut self, best: &mut Small) -> bool {
        loop {
            let (faults, preemptions) = (best.faults.len(), best.preempting.len());
            let without_fault = faults.checked_sub(1).map(|fewer| (fewer, preemptions));
            let calmer = preemptions.checked_sub(1).map(|fewer| (faults, fewer));
            let mut found = None;
            for (faults, preemptions) in without_fault.into_iter().chain(calmer) {
                let bound = Bound::preemptions(preemptions as u32).and_faults(faults as u32);
                let bound = match best.faults.is_empty() {
                    true => bound,
                    false => bound.and_arrivals(best.others.len() as u32),
                };
                match self.below(bound, best.ended.choices) {
                    Below::Found(ended) => {
                        found = Some(ended);
                        break;
                    }
                    Below::Nothing => {}
                    Below::TooMuch => return false,
                }
            }
            let Some(ended) = found else {
                return true;
            };
            match self.tell(&ended.moves) {
                Some(small) if small.rank() < best.rank() => *best = small,
                _ => return false,
            }
        }
    }

    /// Looks for a run within a bound that stops as wanted.
    fn below(&mut self, bound: Bound, choices: u64) -> Below {
        let mut search = Dfs::new(bound);
        let most = CHOICES_BELOW / choices.max(1);
        for _ in 0..most {
            let Some(task) = search.next(1).pop() else {
                return Below::Nothing;
            };
            let (ended, strategy) = self.campaign.run_and_return(task.answers);
            self.runs += 1;
            let (found, _) = signature(&ended.stop, self.campaign.machine());
            if found == *self.wanted {
                return Below::Found(ended);
            }
            let mut outcome = Outcome {
                ended,
                signature: found,
                problem: None,
                answers: strategy,
            };
            search.learn(&mut outcome);
        }
        Below::TooMuch
    }
}
