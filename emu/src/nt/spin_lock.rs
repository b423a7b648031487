//! Spin locks. The lock word in the driver's memory is the lock: 0 is free. On one processor only
//! the IRQL changes and the word is never touched, as in the uniprocessor kernel and HAL.

use std::collections::BTreeMap;

use super::api::{Contract, Module, Style, byte, ptr};
use super::{Api, Call, Done, Then, Trouble};
use crate::machine::Machine;
use crate::machine::context::Outcome;
use crate::position::Position;
use crate::rules;
use crate::trace::EventKind;
use crate::trace::event::LockOp;

const WDK: &str = "Windows driver documentation: Introduction to Spin Locks; wdm.h";

/// Held locks, by address.
#[derive(Clone, Default, Hash)]
pub struct Locks(pub BTreeMap<u64, Held>);

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The core.
    pub core: u8,
    /// Since when.
    pub since: Position,
    /// Guest address of the acquiring call.
    pub pc: u64,
}

const fn row(
    name: &'static str,
    module: Module,
    style: Style,
    args: &'static [super::Arg],
    irql: Contract,
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    Api {
        name,
        module,
        style,
        args,
        irql,
        source: WDK,
        handler,
    }
}

use Contract::{Any, AtLeastDispatch, Dispatch, ExactlyDispatch};
use Module::{Hal, Ntoskrnl};
use Style::{Fast, Std};

/// Spin lock functions.
pub const API: &[Api] = &[
    row(
        "KeInitializeSpinLock",
        Ntoskrnl,
        Std,
        &[ptr("SpinLock")],
        Any,
        initialize,
    ),
    row(
        "KfAcquireSpinLock",
        Hal,
        Fast,
        &[ptr("SpinLock")],
        Dispatch,
        acquire_raise,
    ),
    row(
        "KfReleaseSpinLock",
        Hal,
        Fast,
        &[ptr("SpinLock"), byte("NewIrql")],
        ExactlyDispatch,
        release,
    ),
    row(
        "KeAcquireSpinLockRaiseToDpc",
        Ntoskrnl,
        Std,
        &[ptr("SpinLock")],
        Dispatch,
        acquire_raise,
    ),
    row(
        "KeAcquireSpinLock",
        Hal,
        Std,
        &[ptr("SpinLock"), ptr("OldIrql")],
        Dispatch,
        acquire_out,
    ),
    row(
        "KeReleaseSpinLock",
        Hal,
        Std,
        &[ptr("SpinLock"), byte("NewIrql")],
        ExactlyDispatch,
        release,
    ),
    row(
        "KeAcquireSpinLockAtDpcLevel",
        Ntoskrnl,
        Std,
        &[ptr("SpinLock")],
        AtLeastDispatch,
        acquire_at_dpc,
    ),
    row(
        "KeReleaseSpinLockFromDpcLevel",
        Ntoskrnl,
        Std,
        &[ptr("SpinLock")],
        AtLeastDispatch,
        release_from_dpc,
    ),
    row(
        "KefAcquireSpinLockAtDpcLevel",
        Ntoskrnl,
        Fast,
        &[ptr("SpinLock")],
        AtLeastDispatch,
        acquire_at_dpc,
    ),
    row(
        "KefReleaseSpinLockFromDpcLevel",
        Ntoskrnl,
        Fast,
        &[ptr("SpinLock")],
        AtLeastDispatch,
        release_from_dpc,
    ),
];

fn initialize(call: &mut Call<'_>) -> Done {
    let lock = call.args[0];
    call.set_ptr(lock, 0)?;
    call.m.state.checks.forget_locks(&(lock..lock + 1));
    Ok(Outcome::Return(0))
}

/// Acquires `lock` at the current IRQL and continues with `then`.
pub fn acquire(call: &mut Call<'_>, lock: u64, then: Then) -> Done {
    rules::lock::wanted(call.m, call.core, lock)?;
    if call.m.cpus() == 1 {
        let depth = rules::routines(call.m, call.core);
        call.m.state.checks.taken(call.core, lock, depth);
        return Ok(Outcome::Continue(then, 0));
    }
    // The word must be there, whoever is first.
    let word = call.ptr(lock)?;
    if word == 0 && hold(call.m, call.core, lock) {
        return Ok(Outcome::Continue(then, 0));
    }
    call.event(EventKind::Lock {
        op: LockOp::Contended,
        lock,
    });
    Ok(Outcome::Spin { lock, then })
}

fn acquire_raise(call: &mut Call<'_>) -> Done {
    let old = call.irql();
    let dispatch = call.m.irqls().dispatch;
    call.m.set_irql(call.core, dispatch.max(old));
    acquire(call, call.args[0], Then::ReturnValue(u64::from(old)))
}

fn acquire_out(call: &mut Call<'_>) -> Done {
    let (lock, old_at) = (call.args[0], call.args[1]);
    let old = call.irql();
    let dispatch = call.m.irqls().dispatch;
    call.m.set_irql(call.core, dispatch.max(old));
    call.set_u8(old_at, old)?;
    acquire(call, lock, Then::ReturnValue(0))
}

fn acquire_at_dpc(call: &mut Call<'_>) -> Done {
    acquire(call, call.args[0], Then::ReturnValue(0))
}

fn release(call: &mut Call<'_>) -> Done {
    drop_lock(call, call.args[0])?;
    let to = call.args[1] as u8;
    call.m.set_irql(call.core, to);
    Ok(Outcome::Return(0))
}

fn release_from_dpc(call: &mut Call<'_>) -> Done {
    drop_lock(call, call.args[0])?;
    Ok(Outcome::Return(0))
}

/// Gives a lock back; what the free build does with one that is not held: it stores a zero.
pub fn drop_lock(call: &mut Call<'_>, lock: u64) -> Result<(), Trouble> {
    rules::lock::released(call.m, call.core, lock)?;
    if call.m.cpus() > 1 {
        call.set_ptr(lock, 0)?;
        call.m.state.nt.locks.0.remove(&lock);
        call.event(EventKind::Lock {
            op: LockOp::Released,
            lock,
        });
    }
    Ok(())
}

/// Whether a core that spins for `lock` would get it now.
pub(crate) fn is_free(m: &Machine, lock: u64) -> bool {
    use isa::Mem;
    // A lock word whose page has gone is free to fault.
    m.memory
        .read_ptr(m.arch(), lock)
        .is_none_or(|word| word == 0)
}

/// A spinning core tries again; false if the lock is still held.
pub(crate) fn take(m: &mut Machine, core: usize, lock: u64) -> bool {
    is_free(m, lock) && hold(m, core, lock)
}

fn hold(m: &mut Machine, core: usize, lock: u64) -> bool {
    let mut word = 1u64.to_le_bytes();
    word[0] = 1;
    let n = m.arch().pointer_size() as usize;
    if !m.memory.write(lock, &word[..n]) {
        return false;
    }
    let held = Held {
        core: core as u8,
        since: m.position(),
        pc: m.caller_address(core),
    };
    m.state.nt.locks.0.insert(lock, held);
    let depth = rules::routines(m, core);
    m.state.checks.taken(core, lock, depth);
    m.event(
        core,
        EventKind::Lock {
            op: LockOp::Acquired,
            lock,
        },
    );
    true
}
