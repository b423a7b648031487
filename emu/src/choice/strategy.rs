//! What answers the choices. A new strategy is a file and a line in [`STRATEGIES`].

mod dice;
mod pct;
mod pos;
mod random;
mod replay;
mod round_robin;
mod surw;

pub use dice::Dice;
pub use pct::Pct;
pub use pos::Pos;
pub use random::Random;
pub use replay::Replay;
pub use round_robin::RoundRobin;
pub use surw::Surw;

use std::any::Any;
use std::collections::BTreeMap;

use super::{Action, Actor, Choice, Moves, View};

/// Answers the choices of one run. A run gives its strategy back, with what that has learnt.
pub trait Strategy: Any + Send {
    /// The index of the option to take.
    fn choose(&mut self, choice: &Choice<'_>) -> usize;

    /// How many of the coming scheduling points, of which `next` is the first, are to be answered
    /// with option 0 without asking. If as many points come before anything else happens, the next
    /// one is asked with [`Choice::announced`] set; otherwise the rest of the promise is void. All
    /// those points have the options of `next`.
    fn quiet(&mut self, next: &Choice<'_>) -> Quiet;

    /// Whether a call before which nothing has changed is a point like any other to what
    /// [`Self::quiet`] promises. Not to who draws the promise: at calls it draws anew, and so a seed
    /// stays the run that it is.
    fn foresees(&self) -> bool {
        false
    }

    /// Whether [`Self::observe`] is to hear of every step from one scheduling point to the next.
    fn observes(&self) -> bool {
        false
    }

    /// `action` is about to happen, whether it was chosen or the only thing that could.
    fn observe(&mut self, _view: &dyn View, _action: Action) {}

    /// The moves that a run begins with, if that is known before: up to the last of them every other
    /// choice is answered with option 0, and nothing is learnt. Such a run may start at any moment on
    /// that way, which [`Strategy::begin_behind`] then tells.
    fn follows(&self) -> Option<&Moves> {
        None
    }

    /// The run that comes starts behind so many of the moves that it [follows](Strategy::follows).
    fn begin_behind(&mut self, _moves: usize) {}
}

/// What a strategy may be told of the runs before this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// Choices of a run: the most seen so far.
    pub choices: u64,
    /// Steps of each actor: the most seen so far in one run.
    pub steps: BTreeMap<Actor, u64>,
}

/// How far a strategy looks ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// Ask at every point.
    Ask,
    /// Pass so many points, then deviate at the next.
    Pass(u64),
    /// Pass all points.
    Forever,
}

/// A strategy that can be chosen by name.
pub struct StrategyKind {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Makes one for a run with this seed.
    pub make: fn(seed: u64, hints: &Hints) -> Box<dyn Strategy>,
    /// Whether it makes use of hints.
    pub wants_hints: bool,
}

impl StrategyKind {
    /// One for a run with this seed, without hints.
    pub fn start(&self, seed: u64) -> Box<dyn Strategy> {
        (self.make)(seed, &Hints::default())
    }
}

/// Every strategy that needs nothing but a seed, and perhaps hints.
pub const STRATEGIES: &[StrategyKind] = &[
    random::KIND,
    round_robin::KIND,
    pct::KIND,
    pct::KIND_2,
    pct::KIND_3,
    pos::KIND,
    surw::KIND,
    surw::KIND_URW,
];

/// The strategy of that name.
pub fn find(name: &str) -> Option<&'static StrategyKind> {
    STRATEGIES.iter().find(|s| s.name == name)
}
