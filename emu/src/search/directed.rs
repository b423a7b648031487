//! Runs with few preemptions, at places that a schedule which stops has shown to matter.
//!
//! Leaving moves out of a schedule ends where no single one can be spared, and that may be far from
//! the shortest one: twenty moves hold up each other. So runs are drawn anew from the default
//! schedule: what comes from outside comes at random, and who could go on is only preempted where
//! one of the known schedules preempted the like of it, in every other run only in favour of the like
//! of the same other. A race between two actors shows with one such preemption as soon as they happen
//! to meet.

use std::collections::BTreeSet;

use super::anchored::Move;
use crate::choice::strategy::{Dice, Quiet};
use crate::choice::{Action, Actor, Choice, Deviation, Strategy};

/// A fault, by its rule, and where in the code it strikes.
type Strike = (Actor, u64);

/// Who is preempted, where in the code, and for whom. Processors do not count: any will do.
type Meeting = (Actor, u64, Actor);

/// The places at which known schedules preempt.
#[derive(Clone, Default)]
pub(super) struct Places(BTreeSet<Meeting>);

impl Places {
    /// Adds those of a schedule.
    pub(super) fn add(&mut self, moves: &[Move]) {
        let preempting = moves.iter().filter(|m| m.preempts());
        let meetings = preempting.filter_map(|m| Some((like(m.who?), m.place, like(m.to.0))));
        self.0.extend(meetings);
    }
}

/// The same on any core.
fn like(actor: Actor) -> Actor {
    match actor {
        Actor::Dpc(_) => Actor::Dpc(0),
        Actor::Interrupt(_) => Actor::Interrupt(0),
        Actor::Dispatcher(_) => Actor::Dispatcher(0),
        other => other,
    }
}

/// A preemption that is possible at one of the places is made once in so many times. In a loop over
/// what another actor frees, the place comes up again and again.
const KEEN: [usize; 3] = [2, 8, 32];
/// A packet that can arrive while a core could go on does so once in so many choices.
const BUSY: [usize; 5] = [4, 16, 64, 256, 1024];
/// What is pending is delivered once in so many choices.
const PENDING: usize = 4;
/// Choices for which it is drawn at once whether something arrives.
const LOOK_AHEAD: u64 = 4096;

/// See the module.
pub(super) struct Directed {
    places: Places,
    /// Preemptions that may still be made.
    left: usize,
    dice: Dice,
    keen: usize,
    busy: usize,
    /// A preemption may be in favour of anyone.
    anyone: bool,
    /// Faults that have not struck yet.
    strikes: Vec<Strike>,
}

impl Directed {
    /// A run with at most `most` preemptions, and `faults` that strike where they did.
    pub(super) fn new(seed: u64, places: &Places, most: usize, faults: &[Move]) -> Directed {
        let mut dice = Dice::new(seed);
        Directed {
            places: places.clone(),
            left: most,
            keen: KEEN[dice.below(KEEN.len())],
            busy: BUSY[dice.below(BUSY.len())],
            anyone: dice.below(2) == 0,
            strikes: faults.iter().map(|m| (m.to.0, m.place)).collect(),
            dice,
        }
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.dice.below(times) == 0
    }

    /// Whether one of the places may come up while these options last.
    fn may_preempt(&self, choice: &Choice<'_>) -> bool {
        if self.left == 0 || !choice.could_go_on() {
            return false;
        }
        let who = like(choice.actor(0));
        let fits = |to: Actor| {
            let mut places = self.places.0.iter();
            places.any(|(w, _, t)| *w == who && (self.anyone || *t == to))
        };
        (1..choice.options.len()).any(|option| {
            choice.deviation(option) == Deviation::Preemption && fits(like(choice.actor(option)))
        })
    }

    /// A preemption to be made here.
    fn preemption(&mut self, choice: &Choice<'_>) -> Option<usize> {
        if !self.may_preempt(choice) {
            return None;
        }
        let (who, place) = (like(choice.actor(0)), choice.place(0));
        let fits = |&option: &usize| {
            let to = like(choice.actor(option));
            let known = match self.anyone {
                true => {
                    let mut places = self.places.0.iter();
                    places.any(|(w, p, _)| (*w, *p) == (who, place))
                }
                false => self.places.0.contains(&(who, place, to)),
            };
            known && choice.deviation(option) == Deviation::Preemption
        };
        let fitting: Vec<usize> = (1..choice.options.len()).filter(fits).collect();
        if fitting.is_empty() || !self.once_in(self.keen) {
            return None;
        }
        self.left -= 1;
        Some(fitting[self.dice.below(fitting.len())])
    }

    /// Whether one of the faults strikes at this opportunity: mostly the first of its kind and place.
    fn strike(&mut self, choice: &Choice<'_>) -> usize {
        let option = choice.options.len() - 1;
        let here = (choice.actor(option), choice.place(option));
        let known = self.strikes.iter().position(|strike| *strike == here);
        match known.filter(|_| self.once_in(2)) {
            Some(i) => {
                self.strikes.swap_remove(i);
                option
            }
            None => 0,
        }
    }

    /// What can arrive here, and once in how many choices it does. What is pending comes soon.
    fn arrivals(&self, choice: &Choice<'_>) -> (Vec<usize>, usize) {
        let arrives = |&option: &usize| choice.deviation(option) == Deviation::Arrival;
        let all: Vec<usize> = (1..choice.options.len()).filter(arrives).collect();
        let is_packet = |&option: &usize| matches!(choice.options[option], Action::Packet { .. });
        let pending: Vec<usize> = all.iter().copied().filter(|o| !is_packet(o)).collect();
        match (choice.could_go_on(), pending.is_empty()) {
            (false, _) => (all, 2),
            (true, true) => (all, self.busy),
            (true, false) => (pending, PENDING),
        }
    }
}

impl Strategy for Directed {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        if choice.options[0] == Action::Spare {
            return self.strike(choice);
        }
        if choice.could_go_on()
            && let Some(option) = self.preemption(choice)
        {
            return option;
        }
        let (arrivals, often) = self.arrivals(choice);
        if arrivals.is_empty() || !(choice.announced || self.once_in(often)) {
            return 0;
        }
        arrivals[self.dice.below(arrivals.len())]
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        if self.may_preempt(next) {
            return Quiet::Ask;
        }
        let (arrivals, often) = self.arrivals(next);
        if arrivals.is_empty() {
            return Quiet::Forever;
        }
        let passed = (0..LOOK_AHEAD).take_while(|_| !self.once_in(often));
        match passed.count() as u64 {
            LOOK_AHEAD => Quiet::Ask,
            passed => Quiet::Pass(passed),
        }
    }
}
