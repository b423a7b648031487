//! One event of a run. Events are what the trace hash covers, what reports print and what the
//! timeline draws.

use super::FrameContents;
use crate::position::Position;
use crate::stop::Access;

/// Something that happened on a core, at a position.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Event {
    /// When.
    pub at: Position,
    /// On which core.
    pub core: u8,
    /// The core's IRQL when it happened.
    pub irql: u8,
    /// The instruction that caused it; for a kernel call an address inside the call instruction
    /// (its last byte); 0 when no guest instruction did.
    pub pc: u64,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum EventKind {
    /// A decision of the outside world: option `taken` of `options`, in words.
    Choice {
        /// Number of alternatives, at least 2.
        options: u32,
        /// Index of the one taken.
        taken: u32,
        /// What was taken, for example "core 1 takes over".
        label: String,
    },
    /// The core's IRQL changed.
    Irql {
        /// Level before.
        from: u8,
        /// Level after.
        to: u8,
    },
    /// A spin lock was taken, given back, or found taken.
    Lock {
        /// What happened to the lock.
        op: LockOp,
        /// Address of the lock word.
        lock: u64,
    },
    /// A pool block was allocated or freed, or an allocation failed.
    Pool {
        /// What happened to the block.
        op: PoolOp,
        /// Address of the block; 0 for a failed allocation.
        block: u64,
        /// Size asked for, in bytes.
        size: u64,
        /// Pool tag, in memory order.
        tag: [u8; 4],
        /// Whether the block is pageable.
        paged: bool,
    },
    /// A driver called a kernel function.
    Call {
        /// The function's name.
        name: &'static str,
        /// Its first arguments, as many as it has, at most four.
        args: Args,
    },
    /// The kernel entered driver code: a dispatch routine, DPC, ISR, completion routine...
    Enter {
        /// What kind of routine ("DPC", "dispatch", "ReceivePacket"...).
        what: &'static str,
        /// Address of the routine.
        routine: u64,
    },
    /// Driver code entered by the kernel came back.
    Leave {
        /// What kind of routine.
        what: &'static str,
        /// What it returned.
        value: u64,
    },
    /// A device interrupt became pending or was delivered.
    Interrupt {
        /// True: delivered to the core; false: asserted and pending.
        delivered: bool,
        /// Device IRQL.
        level: u8,
        /// Which device, by adapter index or interrupt object number.
        source: u32,
    },
    /// A DPC was queued or removed.
    Dpc {
        /// True: queued; false: removed.
        queued: bool,
        /// Address of the KDPC.
        dpc: u64,
        /// The core it will run on.
        target: u8,
    },
    /// A timer was set, cancelled or expired.
    Timer {
        /// What happened to the timer.
        op: TimerOp,
        /// Address of the KTIMER.
        timer: u64,
    },
    /// A packet moved.
    Packet {
        /// What happened to the packet.
        op: PacketOp,
        /// Index of the adapter.
        adapter: u32,
        /// Number of the packet in the run, counted from 0 in each direction.
        number: u32,
        /// Its length in bytes.
        length: u32,
        /// What is in it.
        contents: FrameContents,
    },
    /// An IRP moved.
    Irp {
        /// What happened to the IRP.
        op: IrpOp,
        /// Address of the IRP.
        irp: u64,
        /// Major function code of the current stack location.
        major: u8,
        /// Minor function code.
        minor: u8,
        /// Device object it went to; 0 when it completed.
        device: u64,
        /// Status, when it completed.
        status: u32,
    },
    /// A thread began or ended a wait.
    Wait {
        /// What happened.
        op: WaitOp,
        /// Address of the dispatcher object.
        object: u64,
        /// The waiting thread.
        thread: u32,
    },
    /// A dispatcher object was signalled (or reset, when `state` is 0).
    Signal {
        /// Address of the dispatcher object.
        object: u64,
        /// Its new signal state.
        state: i32,
    },
    /// A thread was created, began to run on the core, left it, or ended.
    Thread {
        /// What happened.
        op: ThreadOp,
        /// Number of the thread.
        thread: u32,
    },
    /// A page left memory or came back.
    Page {
        /// True: came in; false: left.
        resident: bool,
        /// Address of the page.
        page: u64,
    },
    /// A memory access failed.
    Fault {
        /// Address that was touched.
        address: u64,
        /// How.
        access: Access,
    },
    /// A fault rule struck.
    Injected {
        /// The fault's name, for example "irql.raise".
        fault: &'static str,
        /// What it did, in words.
        detail: String,
    },
    /// `DbgPrint`.
    Debug {
        /// The formatted text.
        text: String,
    },
    /// The machine stopped.
    Bugcheck {
        /// The bugcheck code.
        code: u32,
    },
    /// A rule was broken. What a rule only warns of changes nothing of a run, so that this event is
    /// not among those that the trace hash covers. The number of a variant is: new ones come last.
    Broken {
        /// The rule's name, for example "irql-raise".
        rule: &'static str,
        /// The bugcheck code that Driver Verifier or the kernel gives for it.
        code: u32,
        /// The bugcheck's parameters.
        params: [u64; 4],
        /// Address of what it is about; 0 for nothing.
        object: u64,
        /// What was done, in words.
        what: String,
    },
}

/// The first arguments of a call, at most four. Calls are most of what happens, so they are kept in
/// place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Args {
    count: u8,
    values: [u64; 4],
}

impl From<&[u64]> for Args {
    fn from(all: &[u64]) -> Args {
        let mut args = Args::default();
        for (value, &arg) in args.values.iter_mut().zip(all) {
            *value = arg;
            args.count += 1;
        }
        args
    }
}

impl std::ops::Deref for Args {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        &self.values[..usize::from(self.count)]
    }
}

impl serde::Serialize for Args {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(to)
    }
}

/// What happened to a spin lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[allow(missing_docs)]
pub enum LockOp {
    Acquired,
    Released,
    Contended,
}

/// What happened to a pool block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[allow(missing_docs)]
pub enum PoolOp {
    Allocated,
    Freed,
    Failed,
}

/// What happened to a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[allow(missing_docs)]
pub enum TimerOp {
    Set,
    Cancelled,
    Expired,
}

/// What happened to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[allow(missing_docs)]
pub enum PacketOp {
    /// Arrived from the wire into the adapter's ring.
    Arrived,
    /// Handed to a protocol.
    Indicated,
    /// Given back by a protocol.
    Returned,
    /// Sent by a protocol onto the wire.
    Sent,
}

/// What happened to an IRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[allow(missing_docs)]
pub enum IrpOp {
    Dispatched,
    Completed,
    Cancelled,
}

/// What happened to a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[allow(missing_docs)]
pub enum WaitOp {
    Blocked,
    Satisfied,
    TimedOut,
}

/// What happened to a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[allow(missing_docs)]
pub enum ThreadOp {
    Created,
    Running,
    Parked,
    Ended,
}
