//! What makes two ends of runs the same: the kind of stop, and what happened where.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::explain::MachineNames;
use crate::machine::Machine;
use crate::oracle::Finding;
use crate::report::Place;
use crate::scenario::StopKind;
use crate::stop::{Access, Limit, Stop};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// The kind of stop.
    pub kind: String,
    /// The bugcheck code.
    pub code: Option<u32>,
    /// How memory was touched, if a touch ended the run.
    pub access: Option<String>,
    /// In words, with the function but neither line nor core: those vary.
    pub what: String,
    /// The file of the module that it happened in, if it happened in one.
    pub module: Option<String>,
}

impl Signature {
    /// Of a run in which an oracle has found something, however it ended.
    pub(super) fn of_finding(finding: &Finding, machine: &Machine) -> Signature {
        let names = MachineNames::new(machine);
        let place = finding.places.first().map(|spot| names.resolve(spot.pc));
        Signature {
            kind: "finding".to_owned(),
            code: None,
            access: None,
            what: format!("{}: {}", finding.oracle, finding.what),
            module: place.and_then(|place| place.module),
        }
    }

    /// Whether the run came to its end.
    pub fn is_completed(&self) -> bool {
        self.kind == StopKind::Completed.name()
    }
}

/// The signature of a stop, and the place it names.
pub fn signature(stop: &Stop, machine: &Machine) -> (Signature, Option<Place>) {
    let names = MachineNames::new(machine);
    let (code, access, place, what) = describe(stop, &names);
    let signature = Signature {
        kind: StopKind::of(stop).name().to_owned(),
        code,
        access: access.map(str::to_owned),
        what,
        module: place.as_ref().and_then(|p| p.module.clone()),
    };
    (signature, place)
}

type Parts = (Option<u32>, Option<&'static str>, Option<Place>, String);

fn describe(stop: &Stop, names: &MachineNames<'_>) -> Parts {
    let at = |pc: u64| {
        let place = names.resolve(pc);
        let module = place.module.clone().unwrap_or_else(|| "?".into());
        let function = match &place.function {
            Some(function) => format!("{module}!{function}"),
            None => format!("{module} {:#x}", place.pc),
        };
        (place, function)
    };
    match stop {
        Stop::Completed => (None, None, None, "completed".into()),
        Stop::Bugcheck(bugcheck) => {
            let (place, function) = at(bugcheck.pc);
            let access = bugcheck.access.map(|(_, access)| match access {
                Access::Read => "read",
                Access::Write => "write",
                Access::Execute => "execute",
            });
            let what = format!("STOP 0x{:08X} in {function}", bugcheck.code);
            (Some(bugcheck.code), access, Some(place), what)
        }
        Stop::Deadlock { waits } => {
            let kinds: BTreeSet<String> = waits.iter().map(|wait| names.wait(wait)).collect();
            let kinds: Vec<String> = kinds.into_iter().collect();
            let plural = if waits.len() == 1 { "" } else { "s" };
            let (n, kinds) = (waits.len(), kinds.join(", "));
            let what = format!("deadlock of {n} wait{plural} ({kinds})");
            (None, None, None, what)
        }
        Stop::Unimplemented { name, caller, .. } => {
            let (place, function) = at(*caller);
            let what = format!("not modelled: {name} in {function}");
            (None, None, Some(place), what)
        }
        Stop::Request {
            thread,
            step,
            status,
            ..
        } => {
            let what = format!("step {} of {thread} failed with 0x{status:08X}", step + 1);
            (None, None, None, what)
        }
        Stop::Limit { limit, value, pc } => {
            let (place, function) = at(*pc);
            let limit = match limit {
                Limit::Instructions => "instructions",
                Limit::DriverEntry => "instructions of DriverEntry",
                Limit::Choices => "choices",
            };
            let what = format!("limit of {value} {limit}, in {function}");
            (None, None, Some(place), what)
        }
    }
}
