//! The edges of a deadlock's wait-for graph.

use crate::position::Position;
use crate::scenario::Await;

/// Somebody waits for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who waits.
    pub waiter: Waiter,
    /// What for. One that waits for several objects has an edge to each.
    pub awaited: Awaited,
    /// Who has it and could give it back.
    pub holder: Option<Holder>,
    /// When the wait began; not known of streams.
    pub since: Option<Position>,
}

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiter {
    /// A core that spins.
    Core {
        /// Its number.
        core: u8,
        /// The thread that spins on it, unless it is a DPC or an interrupt.
        thread: Option<u32>,
    },
    /// A thread on no core.
    Thread {
        /// Its number.
        thread: u32,
        /// The core that it last ran on.
        core: u8,
    },
    /// A sender of packets.
    Stream {
        /// Index of the stream in the plan.
        stream: usize,
        /// Index of the step that it is at.
        step: usize,
    },
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The spin lock at this guest address.
    SpinLock(u64),
    /// The dispatcher object of this kind at this guest address.
    Object(ObjectKind, u64),
    /// Time that passes.
    Time,
    /// What a step of the scenario awaits.
    Condition(Await),
    /// A driver that asks the adapter of this index in the plan for packets.
    Listener(usize),
}

impl Awaited {
    /// In a word, as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Awaited::SpinLock(_) => "spin lock",
            Awaited::Object(kind, _) => kind.name(),
            Awaited::Time => "time",
            Awaited::Condition(_) => "condition",
            Awaited::Listener(_) => "adapter",
        }
    }
}

/// What a dispatcher object is, after the type in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// `KEVENT`
    Event,
    /// `KMUTANT`
    Mutex,
    /// `KSEMAPHORE`
    Semaphore,
    /// `KTHREAD`
    Thread,
    /// `KTIMER`
    Timer,
    /// Another type, or memory that can no longer be read.
    Other,
}

impl ObjectKind {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            ObjectKind::Event => "event",
            ObjectKind::Mutex => "mutex",
            ObjectKind::Semaphore => "semaphore",
            ObjectKind::Thread => "thread",
            ObjectKind::Timer => "timer",
            ObjectKind::Other => "object",
        }
    }
}

/// Who would have to do something for a wait to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The core that took the spin lock.
    Core(u8),
    /// The thread that owns the mutex, or that is the awaited thread itself.
    Thread(u32),
}
