//! A reference model of small concurrent programs, independent of the machine: threads are lists of
//! operations over shared variables and locks, and nothing is modelled but when they happen.
//!
//! These conventions give the published counts of the shapes:
//!
//! - A *point* is: the creation of a thread, a lock, an unlock, a racy access, a join. A thread
//!   stands in front of its next point; its step performs the point and everything behind it up to
//!   the next one. What comes before a thread's first point happens when it is created.
//! - A thread has no step in which it starts, nor one in which it ends: it has ended with its last
//!   step.
//! - A thread in front of a lock that is held, or of the join of a thread that has not ended, is
//!   disabled. Nobody may run and not everybody has ended: a deadlock, which is a bug.
//! - Racy loads and stores of one statement are separate points. Accesses under a common lock are
//!   none.
//! - The first thread, M, runs first, creates the others in order and, unless the shape says
//!   otherwise, joins them in order, a step each.
//! - A choice is a step at which at least two threads are enabled. Options: the thread that ran last,
//!   if it is enabled, then the others in order.
//! - A run ends at its first bug.
//!
//! [`Variation`]s add or take away points, so that the counts of a machine that differs by them can
//! be compared.

use emu::choice::{Action, Actor, Effect, Operation, View};

/// What the operations of a thread can use.
pub struct Env<'a> {
    /// The shared variables.
    pub vars: &'a mut [i64],
    /// The thread's own.
    pub own: &'a mut [i64; 4],
}

/// Where a thread goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// With the next operation.
    Next,
    /// That many operations further on than the next.
    Skip(usize),
    /// It has ended.
    End,
    /// It has found the bug.
    Bug,
}

/// Computes from the thread's own and, for an access, one shared variable.
pub type Code = fn(&mut Env) -> Flow;

/// One operation of a thread.
#[derive(Clone, Copy)]
pub enum Op {
    /// Creates a thread.
    Create(usize),
    /// Acquires a lock.
    Lock(usize),
    /// Releases it.
    Unlock(usize),
    /// Accesses a variable without a lock that all who access it hold: a point.
    Racy(usize, Effect, Code),
    /// Accesses a variable under its lock: no point, unless varied so.
    Protected(usize, Effect, Code),
    /// Computes with the thread's own: no point.
    Own(Code),
}

/// A program.
#[derive(Clone)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// What the threads do, M first.
    pub threads: Vec<Vec<Op>>,
    /// Initial values of the variables.
    pub vars: Vec<i64>,
    /// Number of locks.
    pub locks: usize,
    /// M joins the others.
    pub joins: bool,
}

/// Points more or less than the conventions have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variation {
    /// Every created thread has a first step in which it only starts.
    Start,
    /// Every created thread has a last step in which it only ends.
    End,
    /// M has a last step: what it does when it has created, and perhaps waited for, the others.
    GoOn,
    /// Creating a thread is no point.
    NoCreate,
    /// Unlocking is no point: it belongs to the step before.
    NoUnlock,
    /// M waits for the others, a step each, whether the shape says so or not.
    Join,
    /// M waits for all others in one step, whether the shape says so or not.
    JoinAll,
    /// M does not wait.
    NoJoin,
    /// Protected accesses are points, too.
    Access,
    /// Racy accesses are no points: they belong to the step before.
    NoRacy,
    /// Trying a lock that is held is a step, after which the thread is disabled until it is free.
    Try,
}

/// What a thread does after its operations.
#[derive(Clone, Copy)]
enum Tail {
    Join(usize),
    JoinAll,
    End,
}

/// A shape made ready to run.
pub struct Program {
    shape: Shape,
    varied: Vec<Variation>,
    tails: Vec<Vec<Tail>>,
}

/// One thread of a state.
#[derive(Clone)]
struct Thread {
    /// The next operation; behind the last one, the index into the tail counts on.
    at: usize,
    own: [i64; 4],
    created: bool,
    /// Its step of starting is still to come.
    unborn: bool,
    ended: bool,
    /// It has not made a step.
    fresh: bool,
    /// It has tried a lock that is held.
    spins: bool,
}

/// A moment of a run.
#[derive(Clone)]
pub struct State<'p> {
    program: &'p Program,
    threads: Vec<Thread>,
    vars: Vec<i64>,
    held: Vec<bool>,
    /// The thread that ran last.
    pub current: usize,
    /// What the last step touched.
    pub touched: Vec<Operation>,
}

/// What a state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Some thread can run.
    Running,
    /// All threads have ended.
    Done,
    /// The bug has shown.
    Bug,
}

// Addresses for the strategies.
const VARS: u64 = 0x1000;
const LOCKS: u64 = 0x2000;
const THREADS: u64 = 0x3000;

fn var(index: usize, effect: Effect) -> Operation {
    Operation::one(VARS + 8 * index as u64, 8, effect)
}

fn lock(index: usize, effect: Effect) -> Operation {
    Operation::one(LOCKS + 8 * index as u64, 8, effect)
}

fn thread(index: usize, effect: Effect) -> Operation {
    Operation::one(THREADS + 8 * index as u64, 8, effect)
}

/// What a thread's first step has in common with its creation.
pub fn birth(t: usize) -> Operation {
    thread(t, Effect::Acquire)
}

impl Program {
    /// A shape with variations.
    pub fn new(shape: &Shape, varied: &[Variation]) -> Program {
        let has = |v| varied.contains(&v);
        let others = 1..shape.threads.len();
        let tails = (0..shape.threads.len())
            .map(|t| {
                let mut tail = Vec::new();
                if t == 0 && !has(Variation::NoJoin) {
                    if has(Variation::JoinAll) {
                        tail.push(Tail::JoinAll);
                    } else if shape.joins || has(Variation::Join) {
                        tail.extend(others.clone().map(Tail::Join));
                    }
                }
                if has(if t == 0 {
                    Variation::GoOn
                } else {
                    Variation::End
                }) {
                    tail.push(Tail::End);
                }
                tail
            })
            .collect();
        Program {
            shape: shape.clone(),
            varied: varied.to_vec(),
            tails,
        }
    }

    /// Threads, M included.
    pub fn threads(&self) -> usize {
        self.shape.threads.len()
    }

    /// The first moment, and what it is.
    pub fn start(&self) -> (State<'_>, Status) {
        let thread = Thread {
            at: 0,
            own: [0; 4],
            created: false,
            unborn: false,
            ended: false,
            fresh: true,
            spins: false,
        };
        let mut state = State {
            program: self,
            threads: vec![thread; self.threads()],
            vars: self.shape.vars.clone(),
            held: vec![false; self.shape.locks],
            current: 0,
            touched: Vec::new(),
        };
        state.threads[0].created = true;
        let bug = state.advance(0);
        let status = state.status(bug);
        (state, status)
    }

    fn has(&self, variation: Variation) -> bool {
        self.varied.contains(&variation)
    }

    fn is_point(&self, op: Op) -> bool {
        match op {
            Op::Create(_) => !self.has(Variation::NoCreate),
            Op::Unlock(_) => !self.has(Variation::NoUnlock),
            Op::Lock(_) => true,
            Op::Racy(..) => !self.has(Variation::NoRacy),
            Op::Protected(..) => self.has(Variation::Access),
            Op::Own(_) => false,
        }
    }
}

impl State<'_> {
    /// Fills `out` with the threads that can run, the current one first.
    pub fn enabled(&self, out: &mut Vec<usize>) {
        out.clear();
        if self.can_run(self.current) {
            out.push(self.current);
        }
        out.extend((0..self.threads.len()).filter(|&t| t != self.current && self.can_run(t)));
    }

    /// The same, the others in the order of their turns after the current one. The published
    /// numbers of the *first* buggy schedule are those of this order.
    pub fn enabled_in_turn(&self, out: &mut Vec<usize>) {
        let n = self.threads.len();
        out.clear();
        out.extend(
            (0..n)
                .map(|i| (self.current + i) % n)
                .filter(|&t| self.can_run(t)),
        );
    }

    /// Whether the next step of a thread is an access: what a machine may pass without asking.
    pub fn accesses_next(&self, t: usize) -> bool {
        let ops = &self.program.shape.threads[t];
        !self.threads[t].unborn
            && matches!(
                ops.get(self.threads[t].at),
                Some(Op::Racy(..) | Op::Protected(..))
            )
    }

    fn tail(&self, t: usize) -> Option<Tail> {
        let ops = self.program.shape.threads[t].len();
        let behind = self.threads[t].at.checked_sub(ops)?;
        self.program.tails[t].get(behind).copied()
    }

    /// Whether a thread has been created and has not ended.
    pub fn is_alive(&self, t: usize) -> bool {
        self.threads[t].created && !self.threads[t].ended
    }

    /// Whether a thread can make its step now.
    pub fn can_run(&self, t: usize) -> bool {
        let me = &self.threads[t];
        if !me.created || me.ended {
            return false;
        }
        if me.unborn {
            return true;
        }
        match self.program.shape.threads[t].get(me.at) {
            Some(&Op::Lock(l)) => !self.held[l] || self.program.has(Variation::Try) && !me.spins,
            Some(_) => true,
            None => match self.tail(t) {
                Some(Tail::Join(other)) => self.threads[other].ended,
                Some(Tail::JoinAll) => self.threads.iter().skip(1).all(|x| x.ended),
                Some(Tail::End) | None => true,
            },
        }
    }

    /// Lets a thread that can run make its step.
    pub fn step(&mut self, t: usize) -> Status {
        self.touched.clear();
        self.current = t;
        if std::mem::take(&mut self.threads[t].fresh) {
            self.touched.push(birth(t));
        }
        if std::mem::take(&mut self.threads[t].unborn) {
            return self.status(false);
        }
        let bug = self.perform(t) == Flow::Bug || self.advance(t);
        if self.threads[t].ended {
            self.touched.push(thread(t, Effect::Release));
        }
        self.status(bug)
    }

    fn status(&self, bug: bool) -> Status {
        let can = (0..self.threads.len()).any(|t| self.can_run(t));
        match bug {
            true => Status::Bug,
            false if can => Status::Running,
            false if self.threads.iter().all(|t| t.ended) => Status::Done,
            false => Status::Bug,
        }
    }

    /// Performs the operation that a thread stands at.
    fn perform(&mut self, t: usize) -> Flow {
        let at = self.threads[t].at;
        let Some(&op) = self.program.shape.threads[t].get(at) else {
            self.touched.push(self.pending(t));
            self.threads[t].at += 1;
            return Flow::Next;
        };
        self.touched.push(self.pending(t));
        let flow = match op {
            Op::Create(other) => {
                let born = &mut self.threads[other];
                born.created = true;
                born.unborn = self.program.has(Variation::Start);
                match self.advance(other) {
                    true => Flow::Bug,
                    false => Flow::Next,
                }
            }
            Op::Lock(l) if self.held[l] => {
                self.threads[t].spins = true;
                return Flow::Next;
            }
            Op::Lock(l) => {
                self.threads[t].spins = false;
                self.held[l] = true;
                Flow::Next
            }
            Op::Unlock(l) => {
                self.held[l] = false;
                Flow::Next
            }
            Op::Racy(_, _, code) | Op::Protected(_, _, code) | Op::Own(code) => code(&mut Env {
                vars: &mut self.vars,
                own: &mut self.threads[t].own,
            }),
        };
        let len = self.program.shape.threads[t].len();
        let me = &mut self.threads[t];
        me.at = match flow {
            Flow::Next => at + 1,
            Flow::Skip(n) => at + 1 + n,
            Flow::End => len,
            Flow::Bug => at,
        };
        flow
    }

    /// Performs what is no point, up to the next one; true if that showed the bug.
    fn advance(&mut self, t: usize) -> bool {
        loop {
            let at = self.threads[t].at;
            match self.program.shape.threads[t].get(at) {
                Some(&op) if self.program.is_point(op) => return false,
                Some(_) => {
                    if self.perform(t) == Flow::Bug {
                        return true;
                    }
                }
                None => {
                    self.threads[t].ended = self.tail(t).is_none();
                    return false;
                }
            }
        }
    }

    /// What the point that a thread stands at touches.
    fn pending(&self, t: usize) -> Operation {
        if self.threads[t].unborn {
            return Operation::LOCAL;
        }
        match self.program.shape.threads[t].get(self.threads[t].at) {
            Some(&Op::Create(other)) => thread(other, Effect::Release),
            Some(&Op::Lock(l)) => lock(l, Effect::Acquire),
            Some(&Op::Unlock(l)) => lock(l, Effect::Release),
            Some(&Op::Racy(v, effect, _) | &Op::Protected(v, effect, _)) => var(v, effect),
            Some(Op::Own(_)) => Operation::LOCAL,
            None => match self.tail(t) {
                Some(Tail::Join(other)) => thread(other, Effect::Acquire),
                Some(Tail::JoinAll) => Operation::one(
                    THREADS + 8,
                    8 * (self.threads.len() as u32 - 1),
                    Effect::Acquire,
                ),
                Some(Tail::End) | None => thread(t, Effect::Release),
            },
        }
    }
}

/// The option that lets a thread run: every thread has a core of its own.
pub fn run(t: usize) -> Action {
    Action::Run(t as u8)
}

impl View for State<'_> {
    fn actor(&self, option: Action) -> Actor {
        match option {
            Action::Run(core) => Actor::Thread(u32::from(core)),
            _ => unreachable!("the model has no other options"),
        }
    }

    fn operation(&self, option: Action) -> Operation {
        match option {
            Action::Run(core) => self.pending(usize::from(core)),
            _ => unreachable!("the model has no other options"),
        }
    }
}
