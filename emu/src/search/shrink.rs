//! The shortest schedule that still stops in the same way: fewest preemptions first, then fewest
//! other moves.
//!
//! Moves are left out by delta debugging (Zeller, Hildebrandt, "Simplifying and Isolating
//! Failure-Inducing Input", 2002), on schedules told by what their actors have done, so that a move
//! keeps its meaning when those before it go. What is left is 1-minimal: without any one of its
//! moves the run does not stop like that. Where runs are short, all schedules with fewer preemptions
//! are tried as well, which makes the number of preemptions the smallest there is.

use super::anchored::{Anchored, Move, Translate};
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
    /// Its preemptions: see [`crate::choice::Deviation`].
    pub preemptions: usize,
    /// Other moves.
    pub others: usize,
    /// No schedule with fewer preemptions stops like that: all of them have been run.
    pub fewest: bool,
    /// Runs that it took.
    pub runs: u64,
}

/// Runs after which the search for fewer moves ends.
const RUNS: u64 = 2000;
/// Preemptions up to which leaving out pairs is tried.
const PAIRS: usize = 32;
/// Choices, in all runs together, that the search below may cost.
const CHOICES_BELOW: u64 = 2_000_000;

/// Shrinks each of several schedules whose runs stop as `wanted`; gives the best of what they come
/// to, the first of equals. `None` if no run stops like that.
pub fn shrink_best(
    campaign: &mut Campaign,
    schedules: &[Moves],
    wanted: &Signature,
) -> Option<Shrunk> {
    let mut best: Option<Shrunk> = None;
    for moves in schedules {
        let shrunk = shrink(campaign, moves, wanted);
        let rank = |s: &Shrunk| (s.preemptions, s.others, s.ended.choices);
        best = match (best, shrunk) {
            (Some(old), Some(new)) if rank(&new) < rank(&old) => Some(new),
            (None, new) => new,
            (old, _) => old,
        };
        if best.as_ref().is_some_and(|s| s.fewest) {
            break;
        }
    }
    best
}

/// Shrinks the schedule `moves`, whose run stops as `wanted`. `None` if it does not, or not again.
pub fn shrink(campaign: &mut Campaign, moves: &Moves, wanted: &Signature) -> Option<Shrunk> {
    let mut shrinker = Shrinker {
        campaign,
        wanted,
        runs: 0,
    };
    let (told, first) = shrinker.translate(moves)?;
    let mut best = first;
    let (mut preempting, mut others): (Vec<Move>, Vec<Move>) =
        told.into_iter().partition(Move::preempts);
    loop {
        let before = preempting.len() + others.len();
        shrinker.minimise(&mut preempting, &others, &mut best);
        shrinker.minimise(&mut others, &preempting, &mut best);
        if preempting.len() + others.len() == before {
            break;
        }
    }
    shrinker.without_pairs(&mut preempting, &mut others, &mut best);
    let mut counts = shrinker.counts(&best)?;
    let mut fewest = counts.0 == 0;
    while counts.0 > 0 {
        match shrinker.below(counts.0 as u32 - 1, best.choices) {
            Below::Found(ended) => {
                let fewer = shrinker.counts(&ended).filter(|f| f.0 < counts.0);
                let Some(fewer) = fewer else { break };
                (counts, best) = (fewer, ended);
                fewest = counts.0 == 0;
            }
            Below::Nothing => {
                fewest = true;
                break;
            }
            Below::TooMuch => break,
        }
    }
    // What is shown is what a replay does.
    let replayed = shrinker.run(Box::new(Replay::new(best.moves.clone()))).0?;
    (replayed.trace_hash == best.trace_hash).then_some(Shrunk {
        ended: replayed,
        preemptions: counts.0,
        others: counts.1,
        fewest,
        runs: shrinker.runs,
    })
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

    fn translate(&mut self, moves: &Moves) -> Option<(Vec<Move>, Ended)> {
        let (ended, strategy) = self.run(Box::new(Translate::new(moves.clone())));
        let told = strategy.downcast::<Translate>().ok()?.told;
        Some((told, ended?))
    }

    /// Preemptions and other moves of a run.
    fn counts(&mut self, ended: &Ended) -> Option<(usize, usize)> {
        let (told, _) = self.translate(&ended.moves)?;
        let preempting = told.iter().filter(|m| m.preempts()).count();
        Some((preempting, told.len() - preempting))
    }

    /// Leaves out of `moves` what is not needed beside `kept`.
    fn minimise(&mut self, moves: &mut Vec<Move>, kept: &[Move], best: &mut Ended) {
        let mut parts = 2;
        // Often nothing is needed at all.
        let mut attempts = vec![Vec::new()];
        while !moves.is_empty() && self.runs < RUNS {
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
                let strategy = Anchored::new(attempt.iter().chain(kept));
                let ended = self.run(Box::new(strategy)).0?;
                Some((attempt, ended))
            });
            attempts = Vec::new();
            match smaller {
                Some((attempt, ended)) => {
                    *moves = attempt;
                    *best = ended;
                    parts = (parts - 1).max(2);
                }
                None if size == 1 => break,
                None => parts = (parts * 2).min(moves.len()),
            }
        }
    }

    /// Leaves out two moves at once, which may only work together: a core that takes over, and the
    /// one that takes back.
    fn without_pairs(
        &mut self,
        preempting: &mut Vec<Move>,
        others: &mut Vec<Move>,
        best: &mut Ended,
    ) {
        let mut i = 0;
        while i < preempting.len() && preempting.len() <= PAIRS {
            let all = preempting.len() + others.len();
            let smaller = (i + 1..all).find_map(|j| {
                if self.runs >= RUNS {
                    return None;
                }
                let keep = |n: usize| n != i && n != j;
                let p: Vec<Move> = (0..preempting.len())
                    .filter(|&n| keep(n))
                    .map(|n| preempting[n])
                    .collect();
                let o = (0..others.len()).filter(|&n| keep(n + preempting.len()));
                let o: Vec<Move> = o.map(|n| others[n]).collect();
                let ended = self.run(Box::new(Anchored::new(p.iter().chain(&o)))).0?;
                Some((p, o, ended))
            });
            match smaller {
                Some((p, o, ended)) => {
                    (*preempting, *others, *best) = (p, o, ended);
                    // What could not go before may go now.
                    let (mut p, mut o) = (std::mem::take(preempting), std::mem::take(others));
                    self.minimise(&mut p, &o, best);
                    self.minimise(&mut o, &p, best);
                    (*preempting, *others, i) = (p, o, 0);
                }
                None => i += 1,
            }
        }
    }

    /// Looks for a run with at most `preemptions` of them that stops as wanted.
    fn below(&mut self, preemptions: u32, choices: u64) -> Below {
        let mut search = Dfs::new(Bound::preemptions(preemptions));
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
