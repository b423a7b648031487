//! Whether the order of two accesses that race decides how the run ends: the run once more, the
//! other way round.
//!
//! The schedule is followed to the last choice before the first access. There its actor is held
//! until the other one has made its access, and from then on everything takes its course. That needs
//! a choice between the two, so at `sync` granularity only calls and accesses known to race have
//! another order that can be tried.

use crate::campaign::Campaign;
use crate::choice::strategy::{Quiet, Replay};
use crate::choice::{Action, Actor, Choice, Deviation, Moves, Strategy, View};
use crate::machine::Ended;
use crate::oracle::{Finding, OtherOrder};
use crate::search::signature;

/// Races that are tried, the first ones.
const TRIES: usize = 8;
/// Choices after which an actor is held no longer: the other one will not come.
const PATIENCE: u64 = 10_000;
/// Bytes that are compared at most.
const BYTES: u64 = 64;

/// Tries the other order of the races among the findings in the run of `moves`, which ended as
/// `ended`. The campaign's machine is one of the same case and scope.
pub(super) fn fill(
    campaign: &mut Campaign,
    moves: &Moves,
    ended: &Ended,
    findings: &mut [Finding],
) {
    let races = findings.iter_mut().filter(|f| f.oracle == "race");
    for finding in races.take(TRIES) {
        let [first, second] = finding.places.as_slice() else {
            continue;
        };
        let reverse = Reverse {
            moves: Replay::new(moves.clone()),
            hold_at: first.position.choice.max(1),
            held: first.actor,
            awaited: (second.actor, second.pc),
            state: State::Following,
        };
        let bytes = second.access.map(|a| (a.address, a.length.min(BYTES)));
        let (other, strategy) = campaign.run_and_return(Box::new(reverse));
        let strategy: Box<dyn std::any::Any> = strategy;
        let reversed = strategy
            .downcast::<Reverse>()
            .is_ok_and(|r| r.state == State::Reversed);
        if !reversed {
            continue;
        }
        let after = bytes.map(|range| read(campaign, range));
        let end = signature(&other.stop, campaign.machine()).0;
        campaign.run(Box::new(Replay::new(moves.clone())));
        let before = bytes.map(|range| read(campaign, range));
        let this = signature(&ended.stop, campaign.machine()).0;
        finding.order_matters = Some(end != this || before != after);
        finding.other_order = Some(OtherOrder {
            ends: end.what.clone(),
            same_end: end == this,
            same_memory: before == after,
        });
    }
}

/// What is in memory after a run; `None` if it is not there.
fn read(campaign: &Campaign, (address, length): (u64, u64)) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    let there = campaign.machine().memory.read(address, &mut bytes);
    there.then_some(bytes)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The schedule is followed.
    Following,
    /// An actor is held, for so many choices now.
    Holding(u64),
    /// The other one came first; everything takes its course.
    Reversed,
    /// It did not.
    Failed,
}

/// See the module.
struct Reverse {
    moves: Replay,
    /// Number of the last choice before the first access.
    hold_at: u64,
    held: Actor,
    /// Who is to come first, and where.
    awaited: (Actor, u64),
    state: State,
}

impl Reverse {
    /// The option that brings the other actor nearest: its own step, that of another one, what has to
    /// arrive first.
    fn instead(&self, choice: &Choice<'_>) -> Option<usize> {
        let distance = |&option: &usize| {
            let actor = choice.actor(option);
            match choice.options[option] {
                _ if actor == self.held => None,
                _ if actor == self.awaited.0 => Some(0),
                Action::Run(_) => Some(1),
                _ if choice.deviation(option) == Deviation::Preemption => Some(3),
                _ => Some(2),
            }
        };
        let options = (0..choice.options.len()).filter(|option| distance(option).is_some());
        options.min_by_key(|option| (distance(option), *option))
    }
}

impl Strategy for Reverse {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        if self.state == State::Following {
            if choice.number < self.hold_at {
                return self.moves.choose(choice);
            }
            self.state = State::Holding(0);
        }
        let State::Holding(choices) = self.state else {
            return 0;
        };
        self.state = match choices < PATIENCE {
            true => State::Holding(choices + 1),
            false => State::Failed,
        };
        self.instead(choice).unwrap_or(0)
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        match self.state {
            State::Following if next.number < self.hold_at => match self.moves.quiet(next) {
                Quiet::Pass(n) => Quiet::Pass(n.min(self.hold_at - next.number)),
                Quiet::Ask => Quiet::Ask,
                Quiet::Forever => Quiet::Pass(self.hold_at - next.number),
            },
            State::Reversed | State::Failed => Quiet::Forever,
            _ => Quiet::Ask,
        }
    }

    fn observes(&self) -> bool {
        true
    }

    fn observe(&mut self, view: &dyn View, action: Action) {
        if !matches!(self.state, State::Holding(_)) || !matches!(action, Action::Run(_)) {
            return;
        }
        let actor = view.actor(action);
        if (actor, view.place(action)) == self.awaited {
            self.state = State::Reversed;
        } else if actor == self.held {
            // Nobody else could go on.
            self.state = State::Failed;
        }
    }
}
