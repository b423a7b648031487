//! Follows a schedule to its last move, then takes option 0, and notes what else was possible there.

use super::order::{Order, Step};
use crate::choice::strategy::Quiet;
use crate::choice::{Action, Choice, Deviation, Moves, Strategy, View};

/// A choice behind the last move, at which option 0 was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub number: u64,
    /// What taking each of its options would have meant.
    pub options: Vec<Deviation>,
    /// The classes of what happened before, if they were asked for.
    pub classes: Option<Classes>,
}

/// The classes, of schedules that differ only in the order of independent steps, at a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// That of what happened before.
    pub before: u64,
    /// That after the step of each option, and the core that it is of.
    pub after: Vec<(u64, u8)>,
    /// The core that ran last.
    pub current: u8,
}

/// See the module.
pub struct Follow {
    moves: Moves,
    next: usize,
    /// What was passed behind the last move.
    pub nodes: Vec<Node>,
    /// A move could not be made: the schedule is of another machine.
    pub diverged: bool,
    /// The steps so far, if classes were asked for.
    order: Option<Order>,
}

impl Follow {
    /// Follows `moves`.
    pub fn new(moves: Moves) -> Follow {
        Follow {
            moves,
            next: 0,
            nodes: Vec::new(),
            diverged: false,
            order: None,
        }
    }

    /// Follows `moves`, and notes the classes of what it passes.
    pub fn with_classes(moves: Moves) -> Follow {
        Follow {
            order: Some(Order::default()),
            ..Follow::new(moves)
        }
    }

    /// The schedule that is followed.
    pub fn moves(&self) -> &Moves {
        &self.moves
    }
}

impl Strategy for Follow {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        if let Some(order) = &mut self.order {
            order.end(choice.view);
        }
        match self.moves.0.get(self.next) {
            Some(&(number, option)) if number == choice.number => {
                self.next += 1;
                self.diverged |= option as usize >= choice.options.len();
                option as usize
            }
            Some(_) => 0,
            None => {
                self.nodes.push(Node {
                    number: choice.number,
                    options: (0..choice.options.len())
                        .map(|option| choice.deviation(option))
                        .collect(),
                    classes: self.order.as_ref().map(|order| Classes::at(order, choice)),
                });
                0
            }
        }
    }

    fn quiet(&mut self, next: &Choice<'_>) -> Quiet {
        match self.moves.0.get(self.next) {
            _ if self.order.is_some() => Quiet::Ask,
            Some(&(at, _)) if at >= next.number => Quiet::Pass(at - next.number),
            _ => Quiet::Ask,
        }
    }

    fn foresees(&self) -> bool {
        true
    }

    fn observes(&self) -> bool {
        self.order.is_some()
    }

    fn follows(&self) -> Option<&Moves> {
        // Classes are of everything that has happened.
        self.order.is_none().then_some(&self.moves)
    }

    fn begin_behind(&mut self, moves: usize) {
        self.next = moves;
    }

    fn observe(&mut self, view: &dyn View, action: Action) {
        if let Some(order) = &mut self.order {
            order.begin(view, action);
        }
    }
}

impl Classes {
    fn at(order: &Order, choice: &Choice<'_>) -> Classes {
        let after = choice.options.iter().map(|&option| {
            let step = Step::of(choice.view, option);
            (order.class_after(&step), step.core)
        });
        Classes {
            before: order.class(),
            after: after.collect(),
            current: choice.current,
        }
    }
}
