//! What a call of each kernel function touches that other actors can see, for strategies that
//! reorder steps. A function that is not listed may touch anything, which is always right and only
//! costs schedules.
//!
//! A call whose effect is [`Kind::Local`] or [`Kind::Plain`] is no scheduling point at `sync` and
//! `access` granularity: nobody could tell when exactly it happened, or, for plain copies, no more
//! than for the loads and stores that they stand for.

use super::{Api, layout, thread};
use crate::choice::{Effect, Operation};
use crate::machine::Machine;
use crate::machine::context::ContextKind;
use crate::nt::io::HandleTarget;

/// How a function touches what its arguments name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing but the caller's own.
    Local,
    /// The bytes that it copies or compares: argument, argument that counts them, and how.
    Plain(&'static [(usize, usize, Effect)]),
    /// So many bytes at the address in an argument.
    Touch(usize, u32, Effect),
    /// The word of the spin lock in an argument.
    Lock(usize, Effect),
    /// The dispatcher object in an argument.
    Object(usize, Effect),
    /// A wait for the object in an argument; the other one is the time-out.
    Wait(usize, usize),
    /// A wait for as many objects as the first argument says, listed at the second; the third is
    /// the time-out.
    WaitMany(usize, usize, usize),
    /// The pool, and the block in an argument if there is one.
    Pool(Option<usize>),
    /// An object in an argument, of at most so many bytes, that the caller has to itself and hands
    /// over: no access of its own, and to be ordered with those of others all the same.
    Hand(usize, u32),
    /// What the kernel keeps without an address of its own.
    Own(u64),
    /// A handle in an argument: closing a file calls drivers, closing others does not.
    Handle(usize),
    /// The list of threads.
    Threads,
    /// The thread's own object, for who waits for its end.
    End,
    /// The IRQL of the core it runs on.
    Irql,
    /// Anything.
    Anything,
}

// Things of the kernel that have no address in guest memory get one that no guest can use.
const POOL: u64 = 0x10;
const THREADS: u64 = 0x20;
const WIRE: u64 = 0x30;
const DESCRIPTORS: u64 = 0x40;
/// One for each core.
const IRQL: u64 = 0x100;

/// Bytes of an IRP and of an MDL, the larger of both widths.
const IRP: u32 = 0xD0;
const MDL: u32 = 0x30;

use Effect::{Acquire, Read, Release, Write};

/// Effects by name, in alphabetical order within each kind.
const EFFECTS: &[(Kind, &[&str])] = &[
    (
        Kind::Local,
        &[
            "DbgPrint",
            "DbgPrintEx",
            "ExGetPreviousMode",
            "IoGetRelatedDeviceObject",
            // Whatever comes between the call and the stop could as well have come before the call.
            "KeBugCheck",
            "KeBugCheckEx",
            "KeEnterCriticalRegion",
            "KeGetCurrentIrql",
            "KeGetCurrentProcessorNumber",
            "KeGetCurrentThread",
            "KeInitializeDpc",
            "KeInitializeEvent",
            "KeInitializeMutex",
            "KeInitializeSemaphore",
            "KeInitializeSpinLock",
            "KeInitializeTimer",
            "KeInitializeTimerEx",
            "KeLeaveCriticalRegion",
            "KeQueryActiveProcessors",
            "KeQueryInterruptTime",
            "KeQueryPerformanceCounter",
            "KeQuerySystemTime",
            "KeQueryTickCount",
            "KeQueryTimeIncrement",
            "KeStallExecutionProcessor",
            "MmGetSystemRoutineAddress",
            "MmSizeOfMdl",
            "NdisBufferLength",
            "NdisBufferVirtualAddress",
            "NdisQueryBuffer",
            "NdisQueryBufferOffset",
            "NdisQueryBufferSafe",
            "ObReferenceObjectByHandle",
            "PsGetCurrentThread",
            "PsGetVersion",
            "RtlEnlargedIntegerMultiply",
            "RtlExtendedIntegerMultiply",
            "RtlExtendedLargeIntegerDivide",
            "RtlGetVersion",
            "RtlInitAnsiString",
            "RtlInitString",
            "RtlInitUnicodeString",
            "RtlLargeIntegerAdd",
            "RtlLargeIntegerSubtract",
            "RtlPrefetchMemoryNonTemporal",
            "RtlUpcaseUnicodeChar",
            "_alldiv",
            "_allmul",
            "_allrem",
            "_allshl",
            "_allshr",
            "_aulldiv",
            "_aullrem",
            "_aullshr",
        ],
    ),
    (
        Kind::Plain(&[(0, 2, Write), (1, 2, Read)]),
        &["RtlCopyMemory", "RtlMoveMemory", "memcpy", "memmove"],
    ),
    (
        Kind::Plain(&[(0, 1, Write)]),
        &["RtlFillMemory", "RtlZeroMemory"],
    ),
    (Kind::Plain(&[(0, 2, Write)]), &["memset"]),
    (
        Kind::Plain(&[(0, 2, Read), (1, 2, Read)]),
        &["RtlCompareMemory"],
    ),
    (
        Kind::Touch(0, 4, Write),
        &[
            "InterlockedCompareExchange",
            "InterlockedDecrement",
            "InterlockedExchange",
            "InterlockedExchangeAdd",
            "InterlockedIncrement",
        ],
    ),
    (
        Kind::Touch(0, 1, Write),
        &[
            "ObDereferenceObject",
            "ObfDereferenceObject",
            "ObfReferenceObject",
        ],
    ),
    (
        Kind::Lock(0, Acquire),
        &[
            "KeAcquireSpinLock",
            "KeAcquireSpinLockAtDpcLevel",
            "KeAcquireSpinLockRaiseToDpc",
            "KefAcquireSpinLockAtDpcLevel",
            "KfAcquireSpinLock",
        ],
    ),
    (
        Kind::Lock(0, Release),
        &[
            "KeReleaseSpinLock",
            "KeReleaseSpinLockFromDpcLevel",
            "KefReleaseSpinLockFromDpcLevel",
            "KfReleaseSpinLock",
        ],
    ),
    (
        Kind::Object(0, Release),
        &["KeReleaseMutex", "KeReleaseSemaphore", "KeSetEvent"],
    ),
    (Kind::Object(0, Write), &["KeClearEvent", "KeResetEvent"]),
    (Kind::Object(0, Read), &["KeReadStateEvent"]),
    (Kind::Wait(0, 4), &["KeWaitForSingleObject"]),
    (Kind::WaitMany(0, 1, 6), &["KeWaitForMultipleObjects"]),
    (
        Kind::Pool(None),
        &[
            "ExAllocatePool",
            "ExAllocatePoolWithTag",
            "IoAllocateIrp",
            "IoAllocateMdl",
            "NdisAllocateBuffer",
        ],
    ),
    (
        Kind::Pool(Some(0)),
        &[
            "ExFreePool",
            "ExFreePoolWithTag",
            "IoFreeIrp",
            "IoFreeMdl",
            "NdisFreeBuffer",
        ],
    ),
    // What the dispatch routine does with the request are steps of its own.
    (Kind::Hand(1, IRP), &["IofCallDriver"]),
    (Kind::Hand(0, MDL), &["MmBuildMdlForNonPagedPool"]),
    (Kind::Own(WIRE), &["NdisSend"]),
    (
        Kind::Own(DESCRIPTORS),
        &["NdisAllocatePacket", "NdisFreePacket"],
    ),
    (Kind::Handle(0), &["NtClose", "ZwClose"]),
    (Kind::Threads, &["PsCreateSystemThread"]),
    (Kind::End, &["PsTerminateSystemThread"]),
    (
        Kind::Irql,
        &[
            "KeLowerIrql",
            "KeRaiseIrql",
            "KeRaiseIrqlToDpcLevel",
            "KeRaiseIrqlToSynchLevel",
            "KfLowerIrql",
            "KfRaiseIrql",
        ],
    ),
];

/// The effect of a function.
pub fn of(api: &Api) -> Kind {
    let named = EFFECTS.iter().find(|(_, names)| names.contains(&api.name));
    named.map_or(Kind::Anything, |&(kind, _)| kind)
}

impl Kind {
    /// Whether a call of the function is a decision of the outside world.
    pub fn is_point(self) -> bool {
        !matches!(self, Kind::Local | Kind::Plain(_))
    }
}

/// What the call that driver code on `core` is about to make touches.
pub(crate) fn operation(m: &Machine, core: usize, kind: Kind, args: &[u64; 12]) -> Operation {
    let object = |at, effect| object(m, at, effect);
    match kind {
        Kind::Local => Operation::LOCAL,
        Kind::Plain(ranges) => ranges
            .iter()
            .fold(Operation::LOCAL, |all, &(at, n, effect)| {
                all.and(args[at], u32::try_from(args[n]).unwrap_or(u32::MAX), effect)
            }),
        Kind::Touch(at, length, effect) => Operation::one(args[at], length, effect),
        Kind::Lock(at, effect) => lock(m, args[at], effect),
        Kind::Object(at, effect) => object(args[at], effect),
        Kind::Wait(at, timeout) if args[timeout] == 0 => object(args[at], Acquire),
        Kind::WaitMany(count, list, timeout) if args[timeout] == 0 => {
            use isa::Mem;
            let size = m.arch().pointer_size();
            let objects = (0..args[count].min(64)).map(|i| {
                m.memory
                    .read_ptr(m.arch(), args[list].wrapping_add(i * size))
            });
            objects.fold(Operation::LOCAL, |all, at| match at {
                Some(at) => all.and(at, size as u32, Acquire),
                None => Operation::ANYTHING,
            })
        }
        Kind::Pool(None) => Operation::one(POOL, 1, Write),
        Kind::Pool(Some(at)) => {
            let pool = Operation::one(POOL, 1, Write);
            match m.state.nt.pools.containing(args[at]) {
                Some((start, block)) => {
                    let length = u32::try_from(block.size).unwrap_or(u32::MAX);
                    pool.and(start, length, Write)
                }
                None => Operation::ANYTHING,
            }
        }
        Kind::Hand(at, length) => Operation::one(args[at], length, Write),
        Kind::Own(what) => Operation::one(what, 1, Write),
        Kind::Handle(at) => match m.state.nt.io.objects.target(args[at]) {
            Some(HandleTarget::Thread(_)) => Operation::LOCAL,
            _ => Operation::ANYTHING,
        },
        Kind::Threads => Operation::one(THREADS, 1, Write),
        Kind::End => match m.state.cores[core].top().kind {
            ContextKind::Thread(_) => object(thread::current_object(m, core), Release),
            _ => Operation::ANYTHING,
        },
        Kind::Irql => irql(core),
        Kind::Anything | Kind::Wait(..) | Kind::WaitMany(..) => Operation::ANYTHING,
    }
}

/// What changing the IRQL of a core is: what interrupts it touches nothing else yet.
pub(crate) fn irql(core: usize) -> Operation {
    Operation::one(IRQL + 0x10 * core as u64, 1, Write)
}

/// What the arrival of a packet that interrupts a core is. What a packet says may depend on what was
/// sent before.
pub(crate) fn arrival(core: usize) -> Operation {
    irql(core).and(WIRE, 1, Write)
}

/// The same step, if it allocates from pool as well.
pub(crate) fn with_pool(operation: Operation) -> Operation {
    operation.and(POOL, 1, Write)
}

/// Whether the operation is known to use the pool.
pub(crate) fn uses_pool(operation: &Operation) -> bool {
    operation.touches().iter().any(|t| t.start == POOL)
}

/// What touching a dispatcher object is.
pub(crate) fn object(m: &Machine, at: u64, effect: Effect) -> Operation {
    let size = layout::of(m.arch()).dispatcher_header.size;
    Operation::one(at, size as u32, effect)
}

/// What touching the word of a spin lock is.
pub(crate) fn lock(m: &Machine, at: u64, effect: Effect) -> Operation {
    Operation::one(at, m.arch().pointer_size() as u32, effect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_modelled_and_named_once() {
        let mut seen = std::collections::BTreeSet::new();
        for name in EFFECTS.iter().flat_map(|(_, names)| names.iter()) {
            assert!(super::super::find(name).is_some(), "{name} is not modelled");
            assert!(seen.insert(name), "{name} is listed twice");
        }
    }

    #[test]
    fn arguments_exist() {
        for (kind, names) in EFFECTS {
            let most = match *kind {
                Kind::Touch(at, ..)
                | Kind::Hand(at, _)
                | Kind::Lock(at, _)
                | Kind::Object(at, _) => at,
                Kind::Handle(at) | Kind::Pool(Some(at)) => at,
                Kind::Wait(a, b) => a.max(b),
                Kind::WaitMany(a, b, c) => a.max(b).max(c),
                Kind::Plain(ranges) => ranges.iter().map(|r| r.0.max(r.1)).max().unwrap_or(0),
                _ => continue,
            };
            for name in *names {
                let args = super::super::find(name).map_or(0, |api| api.args.len());
                assert!(most < args, "{name} has no argument {most}");
            }
        }
    }
}
