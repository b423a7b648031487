//! Rules about the IRQL: at which level functions are called, raising and lowering, and the level
//! at which a routine returns.

use super::{Rule, by_call, irp, kind, lock, pool, what};
use crate::machine::Machine;
use crate::nt::Api;
use crate::stop::Stop;

/// The contract of every modelled function.
pub static API: Rule = Rule {
    name: "irql-api",
    help: "a kernel function is called only at an IRQL that its documentation allows",
    mend: "call it at a level that is allowed, or hand the work to a thread",
    code: 0xC4,
    params: kind(0xE5, ["current IRQL", "", ""]),
    source: "Bug Check 0xC4, 0xE5; the page of the function",
};

/// Raising.
pub static RAISE: Rule = Rule {
    name: "irql-raise",
    help: "KeRaiseIrql does not lower the IRQL",
    mend: "lower it with KeLowerIrql, to what KeRaiseIrql gave",
    code: 0xC4,
    params: kind(0x30, ["current IRQL", "requested IRQL", ""]),
    source: "Bug Check 0xC4, 0x30; KeRaiseIrql",
};

/// Lowering.
pub static LOWER: Rule = Rule {
    name: "irql-lower",
    help: "KeLowerIrql does not raise the IRQL",
    mend: "lower it to what the matching KeRaiseIrql gave",
    code: 0xC4,
    params: kind(
        0x31,
        ["current IRQL", "requested IRQL", "1 in a DPC routine"],
    ),
    source: "Bug Check 0xC4, 0x31; KeLowerIrql",
};

/// Waiting.
pub static WAIT: Rule = Rule {
    name: "irql-wait",
    help: "nobody waits at DISPATCH_LEVEL or above, but with a time-out of zero",
    mend: "wait in a thread below DISPATCH_LEVEL, or only look with a time-out of zero",
    code: 0xC4,
    params: kind(0x3B, ["current IRQL", "object to wait for", "time-out"]),
    source: "Bug Check 0xC4, 0x3B; KeWaitForSingleObject",
};

/// `KeSetEvent`.
pub static SET_EVENT: Rule = Rule {
    name: "irql-set-event",
    help: "KeSetEvent is called at DISPATCH_LEVEL or below",
    mend: "queue a DPC that sets the event",
    code: 0xC4,
    params: kind(0x80, ["current IRQL", "event", ""]),
    source: "Bug Check 0xC4, 0x80; KeSetEvent",
};

/// Dispatch routines.
pub static DISPATCH_RETURN: Rule = Rule {
    name: "irql-dispatch-return",
    help: "a dispatch routine returns at the IRQL at which it was called",
    mend: "put the IRQL back to what it was before the routine returns",
    code: 0xC9,
    params: kind(0x05, ["device object", "IRQL before", "IRQL after"]),
    source: "Bug Check 0xC9, 0x05",
};

/// Completion routines.
pub static COMPLETION_RETURN: Rule = Rule {
    name: "irql-completion-return",
    help: "a completion routine returns at the IRQL at which it was called",
    mend: "put the IRQL back to what it was before the routine returns",
    code: 0xC4,
    params: kind(0xFA, ["completion routine", "IRQL before", "IRQL after"]),
    source: "Bug Check 0xC4, 0xFA",
};

/// DPCs.
pub static DPC_RETURN: Rule = Rule {
    name: "irql-dpc-return",
    help: "a DPC routine returns at DISPATCH_LEVEL",
    mend: "put the IRQL back to what it was before the routine returns",
    code: 0xC8,
    params: [
        what("current IRQL << 16 | expected IRQL << 8 | 2"),
        what(""),
        what(""),
        what(""),
    ],
    source: "Bug Check 0xC8; Guidelines for Writing DPC Routines",
};

/// Work items.
pub static WORK_RETURN: Rule = Rule {
    name: "irql-work-return",
    help: "the routine of a work item returns at PASSIVE_LEVEL",
    mend: "put the IRQL back to what it was before the routine returns",
    code: 0xE1,
    params: [
        what("worker routine"),
        what("IRQL at its return"),
        what("its argument"),
        what("work item"),
    ],
    source: "Bug Check 0xE1; System Worker Threads",
};

/// Every other routine.
pub static RETURN: Rule = Rule {
    name: "irql-return",
    help: "any other routine returns to the kernel at the IRQL at which it was called",
    mend: "put the IRQL back to what it was before the routine returns",
    code: 0xC8,
    params: [
        what("current IRQL << 16 | expected IRQL << 8 | 2"),
        what(""),
        what(""),
        what(""),
    ],
    source: "Bug Check 0xC8; Managing Hardware Priorities",
};

/// The functions for which Driver Verifier has a kind of breach of its own; of each the values that
/// it gives, by the arguments.
const OWN: &[(&str, &Rule)] = &[
    ("KeSetEvent", &SET_EVENT),
    ("KeWaitForSingleObject", &WAIT),
    ("KeWaitForMultipleObjects", &WAIT),
    ("KeAcquireSpinLock", &lock::ACQUIRE_IRQL),
    ("KeAcquireSpinLockRaiseToDpc", &lock::ACQUIRE_IRQL),
    ("KfAcquireSpinLock", &lock::ACQUIRE_IRQL),
    ("KeReleaseSpinLock", &lock::RELEASE_IRQL),
    ("KfReleaseSpinLock", &lock::RELEASE_IRQL),
    ("KeAcquireSpinLockAtDpcLevel", &lock::DPC_ACQUIRE),
    ("KefAcquireSpinLockAtDpcLevel", &lock::DPC_ACQUIRE),
    ("KeReleaseSpinLockFromDpcLevel", &lock::DPC_RELEASE),
    ("KefReleaseSpinLockFromDpcLevel", &lock::DPC_RELEASE),
    ("ExAllocatePool", &pool::NONPAGED_IRQL),
    ("ExAllocatePoolWithTag", &pool::NONPAGED_IRQL),
    ("ExFreePool", &pool::FREE_NONPAGED_IRQL),
    ("ExFreePoolWithTag", &pool::FREE_NONPAGED_IRQL),
    ("IofCompleteRequest", &irp::COMPLETE_IRQL),
    ("IoCompleteRequest", &irp::COMPLETE_IRQL),
    ("IofCallDriver", &irp::CALL_IRQL),
    ("IoCallDriver", &irp::CALL_IRQL),
];

/// A driver calls a function: does its contract allow the level?
pub(crate) fn called(
    m: &mut Machine,
    core: usize,
    api: &'static Api,
    args: &[u64; 12],
) -> Result<(), Box<Stop>> {
    let (irql, table) = (m.state.cores[core].irql, m.irqls());
    if api.irql.allows(irql, table) {
        return Ok(());
    }
    let own = OWN.iter().find(|(name, _)| *name == api.name);
    let rule = own.map_or(&API, |(_, rule)| *rule);
    let level = u64::from(irql);
    let (values, object) = match rule.name {
        "pool-nonpaged-irql" => ([level, args[0], args[1]], 0),
        // Which pool it is from decides about the rule.
        "pool-free-nonpaged-irql" => return pool::freed_too_high(m, core, args[0]),
        "irql-wait" => ([level, args[0], args[4]], args[0]),
        "irql-api" | "irp-call-irql" => ([level, 0, 0], 0),
        _ => ([level, args[0], 0], args[0]),
    };
    let what = format!(
        "calls {} at {} ({irql}); allowed: {}",
        api.name,
        table.name(irql),
        api.irql.describe()
    );
    by_call(m, core, rule, &values, object, what)
}
