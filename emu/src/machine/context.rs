//! What a core is doing, as plain data: contexts, the guest activations inside them, and what
//! comes next in each. Nothing of a run lives on the host's stack, so the machine stays a value.

use isa::Registers;

use crate::nt::Then;
use crate::position::Position;

/// Number of a thread; an index into the machine's list of threads.
pub type ThreadId = u32;

/// One emulated processor.
#[derive(Clone, Debug, Hash)]
pub struct Core {
    /// Its number, from 0.
    pub number: u8,
    /// Its interrupt request level.
    pub irql: u8,
    /// What it is doing: at the bottom the idle loop or a thread, above it what interrupted that.
    pub contexts: Vec<Context>,
    /// Address of its processor control region.
    pub pcr: u64,
    /// First address behind its DPC stack.
    pub dpc_stack: u64,
    /// First address behind its interrupt stack.
    pub interrupt_stack: u64,
    /// Until when it stands still, in 100 ns since power-on; 0 if it has never.
    pub stalled: u64,
}

impl Core {
    /// What runs on it now.
    pub fn top(&self) -> &Context {
        self.contexts
            .last()
            .expect("a core always has its bottom context")
    }

    /// What runs on it now.
    pub fn top_mut(&mut self) -> &mut Context {
        self.contexts
            .last_mut()
            .expect("a core always has its bottom context")
    }

    /// The thread at the bottom, unless the core idles.
    pub fn thread(&self) -> Option<ThreadId> {
        match self.contexts[0].kind {
            ContextKind::Thread(id) => Some(id),
            _ => None,
        }
    }

    /// Whether a DPC routine is active on it.
    pub fn in_dpc(&self) -> bool {
        self.contexts.iter().any(|c| c.kind == ContextKind::Dpc)
    }
}

/// What kind of activity a context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContextKind {
    /// The idle loop.
    Idle,
    /// A thread.
    Thread(ThreadId),
    /// The DPC queue being drained.
    Dpc,
    /// An interrupt being serviced, by its source.
    Interrupt(u32),
}

/// One activity of a core.
#[derive(Clone, Debug, Hash)]
pub struct Context {
    /// What kind.
    pub kind: ContextKind,
    /// What it does next.
    pub next: Next,
    /// Guest activations inside it, innermost last.
    pub frames: Vec<Frame>,
    /// Its registers, while they are not loaded in the emulator.
    pub registers: Option<Box<Registers>>,
    /// The IRQL to go back to when it ends (interrupts and DPCs).
    pub irql_before: u8,
    /// First address behind its stack, for a call into the guest that finds no frame.
    pub stack: u64,
}

impl Context {
    /// A context that begins with `next`.
    pub fn new(kind: ContextKind, next: Next, stack: u64, irql_before: u8) -> Context {
        Context {
            kind,
            next,
            frames: Vec::new(),
            registers: None,
            irql_before,
            stack,
        }
    }

    /// The kernel call in which it spins or waits.
    pub fn waiting(&self) -> Option<Caller> {
        match self.next {
            Next::Spin { .. } | Next::Blocked => self.frames.last()?.caller,
            Next::Resume(_, caller, _) => caller,
            _ => None,
        }
    }
}

/// What a context does next.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Next {
    /// Nothing: the idle loop.
    Idle,
    /// Executes driver code at the live PC. `asked` says that the choice before the instruction
    /// has been made.
    Guest {
        /// See above.
        asked: bool,
    },
    /// Executes the instruction at the live PC, a read-modify-write that is two accesses and has
    /// made the first; what it stores comes from what it has loaded then. Goes on as `Guest`.
    Update(Loaded),
    /// Performs the instruction at the PC, which needs the engine (`mov cr8`, `rdtsc`, `int`...).
    Special,
    /// Performs the kernel call that the driver has just made, by index in the import list.
    Call(u32),
    /// Continues the kernel's own work with a value.
    Host(Then, u64),
    /// Continues what an innermost frame, just left, was entered for.
    Resume(Then, Option<Caller>, u64),
    /// Spins until the lock is free, then takes it and continues with the innermost frame.
    Spin {
        /// Address of the lock word.
        lock: u64,
        /// Since when.
        since: Position,
    },
    /// Waits for a dispatcher object; only threads that are on no core do.
    Blocked,
}

/// What a read-modify-write has loaded and not stored back yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Loaded {
    /// Address of the operand.
    pub address: u64,
    /// Its bytes; the first `width` count.
    pub value: [u8; 16],
    /// Its width in bytes, 1 to 16.
    pub width: u8,
}

impl Loaded {
    /// The bytes that were loaded.
    pub fn bytes(&self) -> &[u8] {
        &self.value[..usize::from(self.width)]
    }
}

/// One activation of guest code by the kernel, or one kernel call that has not returned yet.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Frame {
    /// What kind of routine was entered, for traces; empty for a kernel call that waits.
    pub what: &'static str,
    /// Its address.
    pub routine: u64,
    /// What to do with what it returns.
    pub then: Then,
    /// The kernel call on whose behalf it was entered, if one was.
    pub caller: Option<Caller>,
    /// The registers before it was entered, for stack traces; kept only while recording.
    pub entry: Option<Box<Registers>>,
    /// How things were when it was entered; nothing for a kernel call that waits.
    pub entered: Entered,
}

/// How things were when a routine was entered, for what is checked at its return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entered {
    /// The core's IRQL.
    pub irql: u8,
    /// Instructions of drivers that the core had executed.
    pub began: u64,
    /// The first arguments. A dispatch routine has as third one the address of its stack location.
    pub args: [u64; 3],
    /// Of a dispatch routine: its IRP has been completed past its stack location, which was marked
    /// pending or not.
    pub marked: Option<bool>,
}

/// A driver's kernel call in progress: what is needed to return from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Index of the import.
    pub import: u32,
    /// Stack pointer at the entry of the function.
    pub sp: u64,
    /// Link register at its entry, on architectures that have one.
    pub lr: u64,
    /// Where it returns to.
    pub return_address: u64,
}

/// What a kernel function, or a continuation of one, leads to.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Outcome {
    /// The function is done.
    Return(u64),
    /// Driver code is entered; what it returns goes to `then`.
    Enter {
        /// What kind of routine, for traces.
        what: &'static str,
        /// Its address.
        routine: u64,
        /// Its arguments, one per pointer-sized slot.
        args: Vec<u64>,
        /// What to do with its result.
        then: Then,
    },
    /// The core spins for a lock, takes it, and continues with `then`.
    Spin {
        /// Address of the lock word.
        lock: u64,
        /// What to do when it is taken; the value is 0.
        then: Then,
    },
    /// The thread has been put on an object's wait list; the value of `then` is the wait status.
    Wait {
        /// What to do when the wait ends.
        then: Then,
    },
    /// Continues at once with more kernel work.
    Continue(Then, u64),
    /// The context ends: the thread exits, the DPC queue is empty, the interrupt is serviced.
    End,
}
