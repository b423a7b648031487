//! Rules about spin locks, and about locks in general at the end of what took them.

use super::{Breach, Rule, broken, by_call, kind};
use crate::machine::Machine;
use crate::machine::context::ContextKind;
use crate::nt::thread;
use crate::stop::Stop;

/// `KeAcquireSpinLock`.
pub static ACQUIRE_IRQL: Rule = Rule {
    name: "lock-acquire-irql",
    help: "KeAcquireSpinLock is called at DISPATCH_LEVEL or below",
    mend: "take a lock that is shared with an interrupt by KeSynchronizeExecution",
    code: 0xC4,
    params: kind(0x42, ["current IRQL", "spin lock", ""]),
    source: "Bug Check 0xC4, 0x42; KeAcquireSpinLock",
};

/// `KeReleaseSpinLock`.
pub static RELEASE_IRQL: Rule = Rule {
    name: "lock-release-irql",
    help: "KeReleaseSpinLock is called at DISPATCH_LEVEL",
    mend: "release the lock before the IRQL is lowered, and once",
    code: 0xC4,
    params: kind(0x32, ["current IRQL", "spin lock", ""]),
    source: "Bug Check 0xC4, 0x32; KeReleaseSpinLock",
};

/// `KeAcquireSpinLockAtDpcLevel`.
pub static DPC_ACQUIRE: Rule = Rule {
    name: "lock-dpc-acquire",
    help: "KeAcquireSpinLockAtDpcLevel is called at DISPATCH_LEVEL or above",
    mend: "use KeAcquireSpinLock below DISPATCH_LEVEL",
    code: 0xC4,
    params: kind(0x40, ["current IRQL", "spin lock", ""]),
    source: "Bug Check 0xC4, 0x40; KeAcquireSpinLockAtDpcLevel",
};

/// `KeReleaseSpinLockFromDpcLevel`.
pub static DPC_RELEASE: Rule = Rule {
    name: "lock-dpc-release",
    help: "KeReleaseSpinLockFromDpcLevel is called at DISPATCH_LEVEL or above",
    mend: "release the lock before the IRQL is lowered",
    code: 0xC4,
    params: kind(0x41, ["current IRQL", "spin lock", ""]),
    source: "Bug Check 0xC4, 0x41; KeReleaseSpinLockFromDpcLevel",
};

/// A lock that its own core takes again.
pub static RECURSIVE: Rule = Rule {
    name: "lock-recursive",
    help: "a core does not take a spin lock that it holds",
    mend: "call with the lock held only what does not take it",
    code: 0xC4,
    params: kind(0x1000, ["spin lock", "", ""]),
    source: "Bug Check 0xC4, 0x1000; Driver Verifier, Deadlock Detection",
};

/// Locks that are taken in two orders.
pub static ORDER: Rule = Rule {
    name: "lock-order",
    help: "spin locks and mutexes that are held together are taken in one order everywhere",
    mend: "take these locks in one order everywhere",
    code: 0xC4,
    params: kind(0x1001, ["lock that closes the circle", "", ""]),
    source: "Bug Check 0xC4, 0x1001; Driver Verifier, Deadlock Detection",
};

/// A lock that nobody holds.
pub static NOT_HELD: Rule = Rule {
    name: "lock-not-held",
    help: "a spin lock that is released is held",
    mend: "release a lock once, on every path on which it was taken",
    code: 0xC4,
    params: kind(0x1007, ["spin lock", "", ""]),
    source: "Bug Check 0xC4, 0x1007; Driver Verifier, Deadlock Detection",
};

/// A lock that outlives its routine.
pub static HELD_RETURN: Rule = Rule {
    name: "lock-held-return",
    help: "a routine returns without the spin locks that it took",
    mend: "release the lock on every path out of the routine",
    code: 0xC4,
    params: kind(0x0004_000B, ["spin lock", "routine", ""]),
    source: "Bug Check 0xC4, 0x0004000B; SpinlockRelease rule (WDM)",
};

/// A lock that outlives its thread.
pub static THREAD_END: Rule = Rule {
    name: "lock-thread-end",
    help: "a thread ends without the mutexes and spin locks that it took",
    mend: "release the lock on every path out of the thread",
    code: 0xC4,
    params: kind(0x100A, ["thread", "", ""]),
    source: "Bug Check 0xC4, 0x100A; Driver Verifier, Deadlock Detection",
};

/// A core asks for a spin lock.
pub(crate) fn wanted(m: &mut Machine, core: usize, lock: u64) -> Result<(), Box<Stop>> {
    if m.state.checks.holds(core, lock) {
        let what = "takes a spin lock that the core holds";
        return by_call(m, core, &RECURSIVE, &[lock], lock, what);
    }
    ordered(m, core, lock)
}

/// What runs on a core asks for a spin lock or a mutex that it does not have, and will wait for it.
pub(crate) fn ordered(m: &mut Machine, core: usize, lock: u64) -> Result<(), Box<Stop>> {
    let thread = match m.state.cores[core].top().kind {
        ContextKind::Thread(_) => Some(thread::current_object(m, core)),
        _ => None,
    };
    for locks in m.state.checks.wanted(core, thread, lock) {
        let what = format!("takes one of {locks} locks that were taken in another order");
        by_call(m, core, &ORDER, &[lock], lock, what)?;
    }
    Ok(())
}

/// Whether a driver keeps others out of something: a spin lock or a mutex is held, or a core's IRQL
/// is raised.
pub(crate) fn keeps_out(m: &Machine) -> bool {
    let raised = |core: &crate::machine::context::Core| core.irql >= m.irqls().dispatch;
    m.state.checks.any_held() || m.state.cores.iter().any(raised)
}

/// A core gives a lock back.
pub(crate) fn released(m: &mut Machine, core: usize, lock: u64) -> Result<(), Box<Stop>> {
    match m.state.checks.released(core, lock) {
        Some(held) => super::time::held(m, core, lock, held),
        None => {
            let what = "releases a spin lock that nobody holds";
            by_call(m, core, &NOT_HELD, &[lock], lock, what)
        }
    }
}

/// A routine returns to the kernel that was entered as so many others were active.
pub(super) fn at_return(
    m: &mut Machine,
    core: usize,
    routine: u64,
    depth: usize,
    name: impl Fn() -> String,
) -> Result<(), Box<Stop>> {
    for lock in m.state.checks.taken_since(core, depth) {
        let breach = Breach {
            rule: &HELD_RETURN,
            values: &[lock, routine],
            object: lock,
            pc: Some(routine),
            what: format!("{} returns with a spin lock held", name()),
        };
        broken(m, core, breach)?;
    }
    Ok(())
}

/// The thread on a core ends.
pub(super) fn at_thread_end(m: &mut Machine, core: usize, thread: u64) -> Result<(), Box<Stop>> {
    for (lock, mutex) in m.state.checks.left_by(core, thread) {
        let kind = if mutex { "mutex" } else { "spin lock" };
        let breach = Breach {
            rule: &THREAD_END,
            values: &[thread],
            object: lock,
            pc: None,
            what: format!("a thread ends with a {kind} held"),
        };
        broken(m, core, breach)?;
    }
    Ok(())
}
