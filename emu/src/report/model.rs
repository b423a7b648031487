//! The report of a run as plain data: every address resolved, every name a string. It is filled
//! from a machine once and then rendered as text, as JSON or on a terminal.

use std::fmt;

use isa::Profile;
use serde::{Serialize, Serializer};

use super::eventlog::Record;
use super::screen::Screen;
use super::table::Row;
use crate::oracle::Told;
use crate::personality::Personality;
use crate::position::Position;
use crate::stop::Awaited;

/// All that is told about one run.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was run, and the one line that runs it again.
    pub run: RunFacts,
    /// How it ended.
    pub stop: StopLine,
    /// Whether it ended as the scenario expects.
    pub expected: bool,
    /// The stop screen, if the machine stopped.
    pub screen: Option<Screen>,
    /// The event-log records that the next boot would write, and the crash signature.
    pub event_log: Vec<Record>,
    /// Every core at the end of the run, in core order.
    pub cores: Vec<CoreState>,
    /// The last events of all cores, oldest first.
    pub events: Vec<Row>,
    /// The locks that are held or waited for, in address order.
    pub locks: Vec<LockLine>,
    /// The history of what was touched, oldest first: the reason of the stop.
    pub why: Vec<WhyStep>,
    /// The rules that were broken and what the oracles found wrong, whether or not it ended the run.
    pub findings: Vec<Told>,
}

/// What was run.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// Name of the scenario.
    pub scenario: String,
    /// The emulated machine.
    pub profile: Profile,
    /// The modelled Windows.
    pub personality: Personality,
    /// Number of processors.
    pub cpus: u8,
    /// Seed of the strategy.
    pub seed: u64,
    /// Choice granularity: `sync`, `access` or `insn`.
    pub granularity: String,
    /// Name of the strategy that answered the choices.
    pub strategy: String,
    /// Instructions retired by all cores.
    pub instructions: u64,
    /// Number of choices answered.
    pub choices: u64,
    /// Hash over all events of the run.
    pub trace_hash: u64,
    /// The schedule, in its text form.
    pub schedule: String,
    /// The command line that replays exactly this run.
    pub replay_line: String,
}

/// How the run ended: [`crate::stop::Stop`] with its addresses resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopLine {
    /// The workload is done.
    Completed,
    /// The machine stopped.
    Bugcheck(Box<BugcheckLine>),
    /// Nothing can run any more.
    Deadlock {
        /// Who waits for what.
        waits: Vec<WaitLine>,
    },
    /// A driver used something that is not modelled.
    Unimplemented {
        /// `module!name`.
        name: String,
        /// Who called it.
        caller: Place,
        /// What is missing, if only a part is; else empty.
        detail: String,
    },
    /// A scripted requester got a status that the scenario does not allow.
    Request {
        /// The requester.
        thread: String,
        /// Index of its step, from 0.
        step: usize,
        /// What it got.
        status: u32,
        /// What it should have got.
        expected: u32,
    },
    /// A limit of the run was reached.
    Limit {
        /// Which one, for example `instructions`.
        limit: String,
        /// Its value.
        value: u64,
        /// Where the busiest core stood.
        place: Place,
    },
}

impl StopLine {
    /// The `stop.kind` of the JSON form.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Bugcheck(_) => "bugcheck",
            Self::Deadlock { .. } => "deadlock",
            Self::Unimplemented { .. } => "unimplemented",
            Self::Request { .. } => "request",
            Self::Limit { .. } => "limit",
        }
    }
}

/// A bugcheck with its addresses resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BugcheckLine {
    /// Bugcheck code.
    pub code: u32,
    /// The four parameters.
    pub params: [u64; 4],
    /// Number of the core that stopped the machine.
    pub cpu: u8,
    /// Its IRQL at the fault or the call.
    pub irql: u8,
    /// The faulting instruction, or the call of `KeBugCheckEx`.
    pub place: Place,
    /// The rule whose breach it is, if it is one.
    pub rule: Option<&'static str>,
}

/// A guest address in words. What is not known is empty or `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The address.
    #[serde(serialize_with = "as_hex")]
    pub pc: u64,
    /// File name of the image that contains it.
    pub module: Option<String>,
    /// The function, with its path.
    pub function: Option<String>,
    /// Source file and line.
    #[serde(serialize_with = "as_file_line")]
    pub source: Option<(String, u32)>,
}

impl Place {
    /// `file:line`, if the source is known.
    pub fn file_line(&self) -> Option<String> {
        let (file, line) = self.source.as_ref()?;
        Some(format!("{file}:{line}"))
    }
}

impl fmt::Display for Place {
    /// As much as is known: `sample.sys!queue::drain queue.rs:97`, or the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.module, &self.function) {
            (Some(module), Some(function)) => write!(f, "{module}!{function}")?,
            (Some(module), None) => write!(f, "{module} {:08x}", self.pc)?,
            (None, Some(function)) => write!(f, "{function}")?,
            (None, None) => write!(f, "{:08x}", self.pc)?,
        }
        match &self.source {
            Some((file, line)) => write!(f, " {file}:{line}"),
            None => Ok(()),
        }
    }
}

/// One edge of a deadlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitLine {
    /// The core that spins, or that the thread last ran on; `None` for a stream.
    pub core: Option<u8>,
    /// The thread that waits or spins, for example `thread 3 netsh`.
    pub thread: Option<String>,
    /// The stream that waits, by name, and the index of its step.
    pub stream: Option<(String, usize)>,
    /// What is waited for.
    pub awaited: Awaited,
    /// The same in words: for example `spin lock 8a001000`, or the condition, which stands behind
    /// "until".
    pub object: String,
    /// The core that holds it, if it is a spin lock.
    pub holder: Option<u8>,
    /// The thread that holds it, if it is a mutex, or that it is.
    pub holder_thread: Option<String>,
    /// When the wait began; not known of a stream.
    pub since: Option<Position>,
}

/// A core at the end of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CoreState {
    /// Its number.
    pub core: u8,
    /// Its IRQL, before the raise to HIGH_LEVEL that stops a machine.
    pub irql: u8,
    /// What it was running, for example `DPC of sample.sys`, `thread 3 netsh` or `idle`.
    pub context: String,
    /// Its call stack, innermost frame first.
    pub stack: Vec<Place>,
}

/// A lock that is held or waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockLine {
    /// The lock, for example `8a001010 (IpNt block +0x10)`.
    pub lock: String,
    /// The core that holds it; `None` if it is free.
    pub holder: Option<u8>,
    /// When it was taken.
    #[serde(serialize_with = "as_position")]
    pub since: Option<Position>,
    /// Where it was taken.
    pub place: Place,
    /// The cores that spin on it.
    pub waiters: Vec<u8>,
}

/// One step of the explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhyStep {
    /// Counted from 1.
    pub number: u32,
    /// When.
    #[serde(serialize_with = "as_text")]
    pub at: Position,
    /// On which core.
    pub core: u8,
    /// `alloc`, `free`, `read`, `wrote`, `choice`...
    pub verb: String,
    /// To what, for example `IpNt 0x40` or `+0x10`.
    pub what: String,
    /// Where in the code.
    pub place: Place,
    /// What is remarkable about it, for example `while core 0 still uses it`.
    pub note: Option<String>,
    /// The call stack at that moment, innermost frame first; may be empty.
    pub stack: Vec<Place>,
}

/// Addresses are hexadecimal strings: a JSON number does not hold 64 bits.
fn as_hex<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("0x{value:08x}"))
}

fn as_text<S: Serializer>(at: &Position, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn as_position<S: Serializer>(at: &Option<Position>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

/// A source line is `file:line`, as compilers print it.
fn as_file_line<S: Serializer>(
    source: &Option<(String, u32)>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match source {
        Some((file, line)) => serializer.collect_str(&format_args!("{file}:{line}")),
        None => serializer.serialize_none(),
    }
}
