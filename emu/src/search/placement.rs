//! Where faults strike, searched together with schedules.
//!
//! The default schedule tells every opportunity: each is a numbered choice. First every single one of
//! them is taken, with the default schedule before and behind it; then every pair, and so on up to a
//! number of faults. What is left of the budget is drawn: schedules of other searches, in which
//! faults strike at places that the default schedule has shown. Whatever comes from outside can be
//! placed in the same way: an interrupt is a placement, too.
//!
//! Opportunities of the same kind, at the same place and with the same call stack are mostly alike:
//! one of them stands for all, unless every one is asked for.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::{Coverage, Judging, Outcome, Search, Task};
use crate::choice::strategy::{Dice, Quiet};
use crate::choice::{Action, Choice, ChoiceKind, Kinds, Strategy, View};

/// What is placed, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placing {
    /// Kinds of choices of which an option other than the first is a placement. Of interrupts also
    /// packets, whose interrupts then come with them.
    pub kinds: Kinds,
    /// Placements in one schedule, at least 1.
    pub most: u32,
    /// Opportunities that are alike are all tried.
    pub every: bool,
    /// Schedules, the systematic ones included, up to which others are drawn.
    pub fill: u64,
    /// The oracles look at every run.
    pub oracles: bool,
}

/// How far the systematic part has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placements {
    /// Opportunities in the default schedule.
    pub opportunities: u64,
    /// Different ones among them: see the module.
    pub places: u64,
    /// Placements of one fault, of two and so on that have been run.
    pub run: Vec<u64>,
    /// The same that are known of: of pairs those whose first fault has been run.
    pub known: Vec<u64>,
}

/// A choice at which something can be placed.
#[derive(Clone, Copy, Debug)]
struct Opportunity {
    number: u64,
    option: u32,
    /// A fault, and nothing from outside.
    fault: bool,
    /// Equal for opportunities that are alike.
    key: u64,
}

/// A schedule to be run: moves, of which the last is a placement.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Placed {
    moves: Vec<(u64, u32)>,
    /// Of all of its placements.
    key: u64,
}

/// What goes into a file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    /// The default schedule has been handed out.
    begun: bool,
    /// To be run, with as many placements as the last entry of the counts says.
    open: VecDeque<Placed>,
    /// To be run later, with one more.
    later: Vec<Placed>,
    /// What has been run or is to be, of everything but the number of a choice.
    seen: BTreeSet<u64>,
    /// Keys of the default schedule's faults, in order, and how often each comes.
    faults: Vec<(u64, u64)>,
    counts: Placements,
    /// Schedules handed out.
    handed: u64,
    /// Of them, those that were drawn.
    drawn: u64,
}

/// See the module.
pub struct Placement {
    placing: Placing,
    state: State,
    /// What draws schedules.
    drawing: Box<dyn Search>,
    /// Handed out, in that order.
    out: VecDeque<Role>,
}

/// What a task is to the search.
enum Role {
    Default,
    Placed(Placed),
    Drawn,
}

impl Placement {
    /// A search that places faults, and then draws schedules from `drawing`.
    pub fn new(placing: Placing, drawing: Box<dyn Search>) -> Placement {
        Placement {
            placing,
            state: State::default(),
            drawing,
            out: VecDeque::new(),
        }
    }

    fn place(&self, moves: Vec<(u64, u32)>, look: bool) -> Task {
        Task {
            strategy: "placement",
            seed: None,
            answers: Box::new(Place {
                moves,
                next: 0,
                kinds: self.placing.kinds,
                look,
                delivers: None,
                found: Vec::new(),
            }),
        }
    }

    /// Placements of the present number, or of the next one.
    fn systematic(&mut self, most: usize) -> Vec<Task> {
        if self.state.open.is_empty() && !self.state.later.is_empty() {
            self.state.open = std::mem::take(&mut self.state.later).into();
            self.state.counts.run.push(0);
        }
        let more = (self.state.counts.run.len() as u32) < self.placing.most;
        let n = self.state.open.len().min(most);
        let taken: Vec<Placed> = self.state.open.drain(..n).collect();
        let tasks = taken.into_iter().map(|placed| {
            let task = self.place(placed.moves.clone(), more);
            self.out.push_back(Role::Placed(placed));
            task
        });
        tasks.collect()
    }

    /// Schedules with placements that are drawn.
    fn draw(&mut self, most: usize) -> Vec<Task> {
        let left = self.placing.fill.saturating_sub(self.state.handed);
        let most = most.min(usize::try_from(left).unwrap_or(most));
        let tasks = self.drawing.next(most).into_iter().map(|task| {
            self.out.push_back(Role::Drawn);
            self.state.drawn += 1;
            let drawn = Drawn::new(self.state.drawn, &self.state.faults, self.placing.most);
            Task {
                // A seed alone does not say where the faults strike.
                seed: None,
                answers: Box::new(Drawn {
                    inner: Some(task.answers),
                    ..drawn
                }),
                ..task
            }
        });
        tasks.collect()
    }

    /// What has one placement more than `base`.
    fn extend(&mut self, base: &Placed, made: &[(u64, u32)], found: &[Opportunity]) {
        let State {
            counts,
            seen,
            later,
            ..
        } = &mut self.state;
        // What is known has one entry more than what has been run, once there is any.
        let depth = counts.run.len();
        if counts.known.len() == depth && !found.is_empty() {
            counts.known.push(0);
        }
        for opportunity in found {
            let key = hash(&(base.key, opportunity.key));
            let new = seen.insert(key);
            if !new && !self.placing.every {
                continue;
            }
            counts.known[depth] += 1;
            let mut moves = made.to_vec();
            moves.push((opportunity.number, opportunity.option));
            later.push(Placed { moves, key });
        }
    }
}

impl Search for Placement {
    fn next(&mut self, most: usize) -> Vec<Task> {
        let tasks = match self.state.begun {
            false => {
                self.state.begun = true;
                self.out.push_back(Role::Default);
                vec![self.place(Vec::new(), true)]
            }
            true => match self.systematic(most) {
                none if none.is_empty() => self.draw(most),
                tasks => tasks,
            },
        };
        self.state.handed += tasks.len() as u64;
        tasks
    }

    fn learn(&mut self, outcome: &mut Outcome) -> bool {
        let role = self.out.pop_front().expect("it was handed out");
        let found = outcome.answers.downcast_mut::<Place>();
        let found = found.map_or_else(Vec::new, |place| std::mem::take(&mut place.found));
        let made = &outcome.ended.moves.0;
        match role {
            Role::Default => {
                let counts = &mut self.state.counts;
                counts.opportunities = found.len() as u64;
                let mut places = BTreeSet::new();
                places.extend(found.iter().map(|opportunity| opportunity.key));
                for opportunity in found.iter().filter(|o| o.fault) {
                    let known = &mut self.state.faults;
                    match known.iter_mut().find(|(key, _)| *key == opportunity.key) {
                        Some((_, times)) => *times += 1,
                        None => known.push((opportunity.key, 1)),
                    }
                }
                counts.places = places.len() as u64;
                let none = Placed {
                    moves: Vec::new(),
                    key: 0,
                };
                self.extend(&none, made, &found);
            }
            Role::Placed(placed) => {
                let run = &mut self.state.counts.run;
                *run.last_mut().expect("one was begun") += 1;
                self.extend(&placed, made, &found);
            }
            Role::Drawn => {
                // It learns from its own strategy.
                if let Some(drawn) = outcome.answers.downcast_mut::<Drawn>()
                    && let Some(inner) = drawn.inner.take()
                {
                    outcome.answers = inner;
                }
                return self.drawing.learn(outcome);
            }
        }
        true
    }

    fn judging(&self) -> Judging {
        Judging {
            survival: true,
            oracles: self.placing.oracles,
        }
    }

    fn coverage(&self) -> Coverage {
        let counts = &self.state.counts;
        let sum = |all: &[u64]| all.iter().sum::<u64>();
        let (run, known) = (sum(&counts.run), sum(&counts.known));
        let waiting = !self.state.open.is_empty() || !self.state.later.is_empty();
        let exhausted = self.state.begun && self.out.is_empty() && !waiting;
        let share = match exhausted {
            true => 1.0,
            false => run as f64 / known.max(1) as f64,
        };
        Coverage {
            exhausted,
            share: Some(share),
            redundant: 0,
            placements: Some(counts.clone()),
        }
    }

    fn save(&self) -> String {
        debug_assert!(self.out.is_empty());
        let both = (&self.state, self.drawing.save());
        serde_json::to_string(&both).expect("it is plain data")
    }

    fn resume(&mut self, saved: &str) -> Result<(), String> {
        let (state, drawing): (State, String) =
            serde_json::from_str(saved).map_err(|e| e.to_string())?;
        self.drawing.resume(&drawing)?;
        self.state = state;
        Ok(())
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = XxHash3_64::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The key of taking an option: what it is, and the call stack of whom it happens to. Which stream a
/// packet is of and which processor a call runs on make no difference.
fn key(choice: &Choice<'_>, action: Action, stack: &[u64]) -> u64 {
    let here = |core| u16::from(core == choice.current);
    let what = match action {
        Action::Strike(rule) => rule,
        Action::Interrupt { core, .. } | Action::Packet { core, .. } => here(core),
        Action::Dpcs(core) | Action::Switch(core) | Action::Run(core) => here(core),
        Action::Clock(core) => here(core),
        Action::Spare => 0,
    };
    hash(&(action.kind().name(), what, stack))
}

/// Whether a choice of these kinds has this option.
fn places(kinds: Kinds, action: Action) -> bool {
    match action {
        Action::Spare => false,
        Action::Packet { .. } => kinds.contains(ChoiceKind::Interrupt),
        action => kinds.contains(action.kind()),
    }
}

/// Makes some moves and takes option 0 elsewhere; notes what could be placed behind the last of them.
struct Place {
    moves: Vec<(u64, u32)>,
    next: usize,
    kinds: Kinds,
    look: bool,
    /// The core whose interrupt comes next: a packet has just arrived there.
    delivers: Option<u8>,
    found: Vec<Opportunity>,
}

impl Strategy for Place {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        let delivers = self.delivers.take();
        if let Some(&(number, option)) = self.moves.get(self.next) {
            if number != choice.number {
                return 0;
            }
            self.next += 1;
            let option = (option as usize).min(choice.options.len() - 1);
            if let Action::Packet { core, .. } = choice.options[option] {
                self.delivers = Some(core);
            }
            return option;
        }
        if let Some(core) = delivers {
            let interrupts =
                |a: &Action| matches!(*a, Action::Interrupt { core: c, .. } if c == core);
            if let Some(option) = choice.options.iter().position(interrupts) {
                return option;
            }
        }
        if self.look {
            let options = choice.options.iter().enumerate().skip(1);
            let mut placed = options.filter(|(_, a)| places(self.kinds, **a)).peekable();
            if placed.peek().is_some() {
                let stack = choice.view.stack();
                self.found
                    .extend(placed.map(|(option, &action)| Opportunity {
                        number: choice.number,
                        option: option as u32,
                        fault: action.kind() == ChoiceKind::Fault,
                        key: key(choice, action, &stack),
                    }));
            }
        }
        0
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        match self.moves.get(self.next) {
            Some(&(at, _)) if at >= next.number => Quiet::Pass(at - next.number),
            Some(_) => Quiet::Ask,
            None if self.look || self.delivers.is_some() => Quiet::Ask,
            None => Quiet::Forever,
        }
    }

    fn foresees(&self) -> bool {
        true
    }
}

/// Opportunities among which a fault that strikes anywhere is drawn.
const ANYWHERE: usize = 64;

/// A schedule of another strategy, in which some faults strike.
struct Drawn {
    /// What answers everything else; gone when the run is over.
    inner: Option<Box<dyn Strategy>>,
    /// The key of a fault to strike, any if there is none, and how many of those opportunities pass
    /// before it does.
    targets: Vec<(Option<u64>, u64)>,
}

impl Drawn {
    /// At most `most` faults, most of them at places that are known.
    fn new(seed: u64, known: &[(u64, u64)], most: u32) -> Drawn {
        let mut dice = Dice::new(seed);
        let mut below = |n: u64| dice.below(usize::try_from(n.max(1)).unwrap_or(1)) as u64;
        let count = 1 + below(u64::from(most));
        let target = |_| match known.len() as u64 {
            places if places > 0 && below(8) > 0 => {
                let (key, times) = known[below(places) as usize];
                (Some(key), below(times))
            }
            _ => (None, below(ANYWHERE as u64)),
        };
        Drawn {
            inner: None,
            targets: (0..count).map(target).collect(),
        }
    }

    fn strikes(&mut self, choice: &Choice<'_>, option: usize) -> bool {
        if self.targets.is_empty() {
            return false;
        }
        let stack = choice.view.stack();
        let here = key(choice, choice.options[option], &stack);
        let mut strikes = false;
        self.targets.retain_mut(|(wanted, passed)| {
            if strikes || wanted.is_some_and(|wanted| wanted != here) {
                return true;
            }
            strikes = *passed == 0;
            *passed = passed.saturating_sub(1);
            !strikes
        });
        strikes
    }

    fn inner(&mut self) -> &mut dyn Strategy {
        &mut **self.inner.as_mut().expect("it is there during the run")
    }
}

impl Strategy for Drawn {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        if choice.options[0] != Action::Spare {
            return self.inner().choose(choice);
        }
        let option = choice.options.len() - 1;
        if self.strikes(choice, option) {
            option
        } else {
            0
        }
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        self.inner().quiet(next)
    }

    fn foresees(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.foresees())
    }

    fn observes(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.observes())
    }

    fn observe(&mut self, view: &dyn View, action: Action) {
        self.inner().observe(view, action);
    }
}
