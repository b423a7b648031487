//! Dynamic partial-order reduction with source sets and sleep sets (Abdulla, Aronis, Jonsson,
//! Sagonas: Optimal Dynamic Partial Order Reduction, POPL 2014), small and independent of what it
//! is compared with.
//!
//! A run ends at its first bug. Races are looked for before each step, and at a bug also with the
//! steps that the threads were about to make, disabled ones included: otherwise what only a
//! continuation would have shown is never tried. Some of it is missed all the same, so that a search
//! that stops at bugs has fewer traces than there are (compare [`super::trace`]).

use emu::choice::{Operation, View};

use super::count::Count;
use super::model::{Program, Shape, State, Status, Variation, run};
use super::trace::{Event, join};

/// A state of the current run.
struct Node {
    enabled: Vec<usize>,
    /// Threads to be tried from here.
    todo: Vec<usize>,
    /// The point that was tried last.
    point: Operation,
}

struct Search {
    threads: usize,
    nodes: Vec<Node>,
    events: Vec<Event>,
    count: Count,
}

/// What the search counts.
pub fn search(shape: &Shape, varied: &[Variation]) -> Count {
    let program = Program::new(shape, varied);
    let (state, status) = program.start();
    let mut search = Search {
        threads: program.threads(),
        nodes: Vec::new(),
        events: Vec::new(),
        count: Count::default(),
    };
    search.explore(&state, status, Vec::new());
    search.count
}

impl Search {
    fn explore(&mut self, state: &State, status: Status, mut asleep: Vec<usize>) {
        if status == Status::Bug {
            for t in (0..self.threads).filter(|&t| state.is_alive(t)) {
                self.races(state, t);
            }
        }
        if status != Status::Running {
            return self.count.add(status == Status::Bug, self.events.len());
        }
        let mut enabled = Vec::new();
        state.enabled_in_turn(&mut enabled);
        let first = enabled.iter().copied().find(|t| !asleep.contains(t));
        let depth = self.nodes.len();
        self.nodes.push(Node {
            enabled,
            todo: first.into_iter().collect(),
            point: Operation::LOCAL,
        });
        let next = |search: &Search, asleep: &[usize]| {
            let todo = &search.nodes[depth].todo;
            todo.iter().copied().find(|t| !asleep.contains(t))
        };
        while let Some(t) = next(self, &asleep) {
            self.races(state, t);
            let point = state.operation(run(t));
            self.nodes[depth].point = point;
            let still = |&&q: &&usize| !state.operation(run(q)).conflicts(&point);
            let below = asleep.iter().filter(still).copied().collect();
            let mut after = state.clone();
            let status = after.step(t);
            let event = Event::new(&self.events, &after, self.threads);
            self.events.push(event);
            self.explore(&after, status, below);
            self.events.pop();
            asleep.push(t);
        }
        self.nodes.pop();
    }

    /// What a thread knows before its next step.
    fn knows(&self, t: usize) -> Vec<u8> {
        let mut clock = vec![0; self.threads];
        let own = self.events.iter().rev().find(|e| e.thread == t);
        // A thread that has not made a step knows of its creation.
        let own = own.or_else(|| {
            let born = super::model::birth(t);
            self.events
                .iter()
                .find(|e| e.touched.iter().any(|o| o.conflicts(&born)))
        });
        if let Some(event) = own {
            join(&mut clock, &event.clock);
        }
        clock
    }

    /// Has every race of a thread's next step with an event tried the other way round.
    fn races(&mut self, state: &State, t: usize) {
        let point = state.operation(run(t));
        let mut known = self.knows(t);
        for at in (0..self.events.len()).rev() {
            let e = &self.events[at];
            let races = e.thread != t && self.nodes[at].point.reversible(&point);
            if races && !e.is_before(&known) {
                join(&mut known, &e.clock);
                self.reverse(at, t);
            }
        }
    }

    /// Has something tried at the event `at` that leads to the next step of `t` without it.
    fn reverse(&mut self, at: usize, t: usize) {
        let e = &self.events[at];
        let later = self.events[at + 1..].iter();
        let without: Vec<&Event> = later.filter(|f| !e.is_before(&f.clock)).collect();
        // Who can come first among what does not need the event.
        let mut first = Vec::new();
        for (i, f) in without.iter().enumerate() {
            if without[..i].iter().all(|g| !g.is_before(&f.clock)) {
                first.push(f.thread);
            }
        }
        let knows = self.knows(t);
        if without.iter().all(|g| !g.is_before(&knows)) {
            first.push(t);
        }
        let node = &mut self.nodes[at];
        if first.iter().any(|q| node.todo.contains(q)) {
            return;
        }
        match first.iter().find(|q| node.enabled.contains(q)) {
            Some(&q) => node.todo.push(q),
            None => {
                let enabled = node.enabled.iter();
                let new = enabled.filter(|q| !node.todo.contains(q)).copied();
                let new: Vec<usize> = new.collect();
                node.todo.extend(new);
            }
        }
    }
}
