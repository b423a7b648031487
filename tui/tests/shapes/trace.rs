//! Mazurkiewicz traces: schedules that differ only in the order of steps that do not conflict are
//! one. A trace is what happened before what: the vector clocks of all events.

use std::collections::HashSet;

use emu::choice::Operation;

use super::model::{Program, Shape, State, Status};

/// One step of a run.
pub struct Event {
    /// Whose.
    pub thread: usize,
    /// Everything it touched.
    pub touched: Vec<Operation>,
    /// Of each thread, how many of its events happened before or are this one.
    pub clock: Vec<u8>,
}

impl Event {
    /// The event of the step that led to `state`, after `before`.
    pub fn new(before: &[Event], state: &State, threads: usize) -> Event {
        let thread = state.current;
        let touched = state.touched.clone();
        let mut clock = vec![0; threads];
        for e in before {
            let mut pairs = e
                .touched
                .iter()
                .flat_map(|a| touched.iter().map(move |b| (a, b)));
            if e.thread == thread || pairs.any(|(a, b)| a.conflicts(b)) {
                join(&mut clock, &e.clock);
            }
        }
        clock[thread] += 1;
        Event {
            thread,
            touched,
            clock,
        }
    }

    /// Which of its thread's events it is, from 1.
    pub fn index(&self) -> u8 {
        self.clock[self.thread]
    }

    /// Whether it happened before what has this clock, or is it.
    pub fn is_before(&self, clock: &[u8]) -> bool {
        self.index() <= clock[self.thread]
    }
}

/// Makes a clock know what another knows.
pub fn join(clock: &mut [u8], other: &[u8]) {
    for (a, b) in clock.iter_mut().zip(other) {
        *a = (*a).max(*b);
    }
}

/// The traces of a shape.
#[derive(Default)]
pub struct Traces {
    /// Those that do not show the bug.
    pub good: HashSet<Vec<u8>>,
    /// Those that do, cut down to what happened before the bug: what else the other threads did
    /// until then makes no difference.
    pub buggy: HashSet<Vec<u8>>,
    /// Traces of which others are continuations.
    begun: HashSet<Vec<u8>>,
}

/// All traces of a shape. Every beginning of one is continued once.
pub fn traces(shape: &Shape) -> Traces {
    let program = Program::new(shape, &[]);
    let (state, status) = program.start();
    let mut traces = Traces::default();
    traces.below(&state, status, &mut Vec::new(), program.threads());
    traces
}

impl Traces {
    fn below(&mut self, state: &State, status: Status, events: &mut Vec<Event>, threads: usize) {
        match (status, events.last()) {
            (Status::Bug, Some(bug)) => {
                // In a deadlock everybody takes part.
                let deadlock = (0..threads).all(|t| !state.can_run(t));
                let past = |e: &Event| deadlock || e.is_before(&bug.clock);
                self.buggy.insert(form(events, threads, past));
                return;
            }
            (Status::Running, _) => {}
            _ => {
                self.good.insert(form(events, threads, |_| true));
                return;
            }
        }
        if !self.begun.insert(form(events, threads, |_| true)) {
            return;
        }
        let mut enabled = Vec::new();
        state.enabled(&mut enabled);
        for t in enabled {
            let mut next = state.clone();
            let status = next.step(t);
            events.push(Event::new(events, &next, threads));
            self.below(&next, status, events, threads);
            events.pop();
        }
    }
}

/// The clocks of some events, thread by thread: the same for every schedule of a trace.
fn form(events: &[Event], threads: usize, which: impl Fn(&Event) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for t in 0..threads {
        let own = events.iter().filter(|e| e.thread == t && which(e));
        out.extend(own.flat_map(|e| e.clock.iter().copied()));
        out.push(u8::MAX);
    }
    out
}
