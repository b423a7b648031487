//! The start of the drivers with each of its allocations failing once: before there is a run, and so
//! before there is anything to choose, but a driver's `DriverEntry` can lack memory as well.

use std::collections::BTreeMap;

use super::survival::survives;
use crate::campaign::{Campaign, Case};
use crate::choice::strategy::Replay;
use crate::choice::{Moves, Scope};
use crate::faults;
use crate::machine::BootError;
use crate::rules::{LEFT_BEHIND, Level};
use crate::scenario::{FaultRule, Value};

/// Call stacks that are tried at most: a start that allocates without end is no start.
const MOST: u64 = 10_000;

/// What has become of a start in which one allocation failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Starts {
    /// Different call stacks from which the drivers allocate while they start.
    pub stacks: u64,
    /// Of those: `DriverEntry` returned a failure, and left nothing behind.
    pub refused: u64,
    /// The drivers started all the same, and survived the default schedule.
    pub started: u64,
    /// The others, in words.
    pub problems: Vec<String>,
}

/// Starts the drivers of a case once for each call stack from which they allocate meanwhile, and lets
/// that allocation fail: for the rules of the plan that can and that are left to the schedule. A
/// driver that does not start has to have freed its pool, its timers, DPCs and work items, as if it
/// had been unloaded.
///
/// # Errors
/// The machine does not boot for another reason.
pub fn starts(case: &Case, scope: &Scope) -> Result<Starts, BootError> {
    let mut found = Starts::default();
    let rules = case.plan.faults.iter();
    let mut case = case.clone();
    for rule in LEFT_BEHIND {
        if case.plan.rules.of(rule) != Level::Off {
            let known = case.plan.rules.set(rule.name, Level::Stop);
            known.expect("it is in the list");
        }
    }
    for rule in rules.filter(|rule| faults::fails_stacks(rule)) {
        for nth in 1..=MOST {
            case.plan.faults = vec![failing(rule, nth)];
            let what = match Campaign::new(&case, scope.clone()) {
                Ok(campaign) if !campaign.machine().has_struck(0) => break,
                Ok(campaign) => run(campaign).map(|()| found.started += 1),
                Err(BootError::DriverEntry { .. }) => {
                    found.refused += 1;
                    Ok(())
                }
                Err(error @ BootError::Stopped { .. }) => Err(error.to_string()),
                Err(error) => return Err(error),
            };
            found.stacks += 1;
            if let Err(what) = what {
                found
                    .problems
                    .push(format!("{}: {what}", case.plan.faults[0].origin));
            }
        }
    }
    Ok(found)
}

/// The default schedule of drivers that have started.
fn run(mut campaign: Campaign) -> Result<(), String> {
    let ended = campaign.run(Box::new(Replay::new(Moves::default())));
    match survives(&ended.stop, campaign.machine()) {
        true => Ok(()),
        false => {
            let signature = super::signature(&ended.stop, campaign.machine()).0;
            Err(signature.what)
        }
    }
}

/// The rule that lets the nth allocation by call stack fail while the drivers start.
fn failing(rule: &FaultRule, nth: u64) -> FaultRule {
    let own: BTreeMap<String, Value> = [
        ("boot", Value::Bool(true)),
        ("each_stack", Value::Bool(true)),
        ("nth", Value::Int(nth as i64)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let mut params = rule.params.clone();
    params.extend(own);
    let given = params.iter().map(|(name, value)| format!("{name}={value}"));
    let given: Vec<String> = given.collect();
    FaultRule {
        origin: format!("--fault {}:{}", rule.kind, given.join(",")),
        params,
        ..rule.clone()
    }
}
