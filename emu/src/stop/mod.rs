//! How a run ends: a closed enum with data. Rendering is in [`crate::report`].

pub mod bugcheck;
mod wait;

pub use bugcheck::{Access, Bugcheck};
pub use wait::{Awaited, Holder, ObjectKind, Wait, Waiter};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The workload is done, every core is idle and nothing is pending.
    Completed,
    /// The kernel stopped the machine (`KeBugCheckEx`).
    Bugcheck(Box<Bugcheck>),
    /// Nothing can run any more although work is outstanding.
    Deadlock {
        /// Who waits for what: cores that spin, requesters, streams, and other threads, each in the
        /// order of their numbers.
        waits: Vec<Wait>,
    },
    /// A driver called something the kernel model does not have.
    Unimplemented {
        /// `module!name`.
        name: String,
        /// Guest address of the call.
        caller: u64,
        /// What exactly is missing, when the function is modelled but this use of it is not.
        detail: String,
    },
    /// A scripted requester got a status that the scenario does not allow.
    Request {
        /// The requester.
        thread: String,
        /// Index of the step, from 0.
        step: usize,
        /// What it got.
        status: u32,
        /// What it should have got.
        expected: u32,
    },
    /// A limit of the run was reached.
    Limit {
        /// Which one.
        limit: Limit,
        /// Its value, in the unit that [`Limit`] names.
        value: u64,
        /// Guest address at which the busiest core stood.
        pc: u64,
    },
}

/// The limits of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Instructions retired by all cores in a run.
    Instructions,
    /// Instructions that one driver's `DriverEntry` may take.
    DriverEntry,
    /// Choices in a run.
    Choices,
}
