//! A schedule told by what its actors have done: "when thread 3 has passed 17 choices, thread 4 goes
//! on". Unlike numbers of choices, such moves keep their meaning when others are left out.

use std::collections::BTreeMap;

use crate::choice::strategy::Quiet;
use crate::choice::{Action, Actor, Choice, Deviation, Moves, Strategy};

/// Who could have gone on at a choice; `None` where the current core could not. Of a fault the rule:
/// its opportunities are counted by themselves.
type Who = Option<Actor>;

/// One move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// Who could have gone on.
    pub(super) who: Who,
    /// How many choices like that there had been, this one included.
    pub(super) count: u64,
    /// What happens instead: the actor, and the core that it is about.
    pub(super) to: (Actor, u8),
    /// What that means.
    pub(super) deviation: Deviation,
    /// Where in driver code who could have gone on was.
    pub(super) place: u64,
}

impl Move {
    pub(super) fn preempts(&self) -> bool {
        self.deviation == Deviation::Preemption
    }

    pub(super) fn strikes(&self) -> bool {
        self.deviation == Deviation::Fault
    }
}

fn who(choice: &Choice<'_>) -> Who {
    let fault = choice.options[0] == Action::Spare;
    match fault {
        true => choice
            .options
            .last()
            .map(|&strike| choice.view.actor(strike)),
        false => choice.could_go_on().then(|| choice.actor(0)),
    }
}

fn target(choice: &Choice<'_>, option: usize) -> (Actor, u8) {
    let core = match choice.options[option] {
        Action::Packet { core, .. } | Action::Interrupt { core, .. } => core,
        _ => 0,
    };
    (choice.actor(option), core)
}

/// Counts the choices of each actor.
#[derive(Default)]
struct Counter {
    counts: BTreeMap<Who, u64>,
    /// Who passes the points that are passed quietly.
    running: Who,
    /// The last choice counted.
    last: u64,
}

impl Counter {
    /// Choices up to `number` were passed by who runs.
    fn settle(&mut self, number: u64) {
        let passed = number.saturating_sub(self.last);
        if passed > 0 {
            *self.counts.entry(self.running).or_default() += passed;
            self.last = number;
        }
    }

    /// The choices from `next` on may be passed quietly; gives who passes them.
    fn look(&mut self, next: &Choice<'_>) -> Who {
        self.settle(next.number - 1);
        self.running = who(next);
        self.running
    }

    /// Counts a choice; gives who could go on, and how many such choices that makes.
    fn count(&mut self, choice: &Choice<'_>) -> (Who, u64) {
        self.settle(choice.number - 1);
        let who = who(choice);
        let count = self.counts.entry(who).or_default();
        *count += 1;
        self.last = choice.number;
        (who, *count)
    }
}

/// Replays a schedule and tells it by its actors.
pub(super) struct Translate {
    moves: Moves,
    next: usize,
    counter: Counter,
    /// The moves.
    pub(super) told: Vec<Move>,
}

impl Translate {
    pub(super) fn new(moves: Moves) -> Translate {
        Translate {
            moves,
            next: 0,
            counter: Counter::default(),
            told: Vec::new(),
        }
    }
}

impl Strategy for Translate {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        let (who, count) = self.counter.count(choice);
        match self.moves.0.get(self.next) {
            Some(&(number, option)) if number == choice.number => {
                self.next += 1;
                let option = (option as usize).min(choice.options.len() - 1);
                let to = target(choice, option);
                self.told.push(Move {
                    who,
                    count,
                    to,
                    deviation: choice.deviation(option),
                    place: choice.place(0),
                });
                option
            }
            _ => 0,
        }
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        self.counter.look(next);
        match self.moves.0.get(self.next) {
            Some(&(at, _)) if at >= next.number => Quiet::Pass(at - next.number),
            Some(_) => Quiet::Ask,
            None => Quiet::Forever,
        }
    }

    fn foresees(&self) -> bool {
        true
    }
}

/// Makes moves told by actors; one that cannot be made is passed over.
pub(super) struct Anchored {
    moves: BTreeMap<(Who, u64), (Actor, u8)>,
    counter: Counter,
}

impl Anchored {
    pub(super) fn new<'a>(moves: impl IntoIterator<Item = &'a Move>) -> Anchored {
        let moves = moves.into_iter().map(|m| ((m.who, m.count), m.to));
        Anchored {
            moves: moves.collect(),
            counter: Counter::default(),
        }
    }
}

impl Strategy for Anchored {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        let key = self.counter.count(choice);
        let Some(&to) = self.moves.get(&key) else {
            return 0;
        };
        let option = (0..choice.options.len()).find(|&o| target(choice, o) == to);
        option.unwrap_or(0)
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        let who = self.counter.look(next);
        let passed = self.counter.counts.get(&who).copied().unwrap_or(0);
        let mut next = self.moves.range((who, passed + 1)..=(who, u64::MAX));
        match next.next() {
            Some((&(_, at), _)) => Quiet::Pass(at - passed - 1),
            None => Quiet::Forever,
        }
    }

    fn foresees(&self) -> bool {
        true
    }
}
