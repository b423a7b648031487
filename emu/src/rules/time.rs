//! Rules about time, in instructions that the core has executed itself: what other cores do
//! meanwhile is the schedule's affair.

use super::{Breach, Rule, broken, by_call, kind};
use crate::machine::Machine;
use crate::stop::Stop;

/// DPCs.
pub static DPC: Rule = Rule {
    name: "time-dpc",
    help: "a DPC routine executes no more instructions than limits.dpc allows",
    mend: "leave long work to a thread",
    code: 0x133,
    params: kind(0, ["instructions executed", "instructions allowed", ""]),
    source: "Bug Check 0x133, 0; Guidelines for Writing DPC Routines",
};

/// Spin locks.
pub static LOCK: Rule = Rule {
    name: "time-lock",
    help: "a spin lock is held for no more instructions than limits.spin_lock allows",
    mend: "do what needs no lock before it is taken, or after it is released",
    code: 0x133,
    params: kind(1, ["instructions allowed", "spin lock", ""]),
    source: "Bug Check 0x133, 1; Introduction to Spin Locks",
};

/// A spin lock is given back after so many instructions.
pub(super) fn held(
    m: &mut Machine,
    core: usize,
    lock: u64,
    instructions: u64,
) -> Result<(), Box<Stop>> {
    let limit = m.setup.plan.limits.spin_lock;
    if instructions <= limit {
        return Ok(());
    }
    let what = format!("has held a spin lock for {instructions} instructions");
    by_call(m, core, &LOCK, &[limit, lock], lock, what)
}

/// A DPC routine that began so many instructions ago returns.
pub(super) fn returned(
    m: &mut Machine,
    core: usize,
    routine: u64,
    instructions: u64,
) -> Result<(), Box<Stop>> {
    let limit = m.setup.plan.limits.dpc;
    if instructions <= limit {
        return Ok(());
    }
    let breach = Breach {
        rule: &DPC,
        values: &[instructions, limit],
        object: routine,
        pc: Some(routine),
        what: format!("a DPC routine has executed {instructions} instructions"),
    };
    broken(m, core, breach)
}
