//! `irql.raise`: a kernel call, a routine of a driver or the rest of one runs at a higher IRQL than
//! its caller meant it to. What the call or routine itself sets the IRQL to stays.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};
use crate::nt::{self, Api, effect};

pub(super) const KIND: FaultKind = FaultKind {
    name: "irql.raise",
    help: "a kernel call (any that leaves the IRQL alone, if no place is given) or a driver's \
           routine, or the rest of one, runs at a higher IRQL, until it returns",
    opportunity: Opportunity::Place,
    params: &[(
        "level",
        "the IRQL, 1 to the profile's highest; 2 (DISPATCH_LEVEL) if absent",
    )],
    narrows: &[],
    source: "Windows driver documentation: Managing Hardware Priorities, Dispatch Routines and \
             IRQLs (the same code is reached at several IRQLs)",
    parse,
};

struct IrqlRaise {
    level: u8,
}

/// Functions that give their caller the IRQL at which they were called, to be set again later: a
/// raise would come back with it when it has long ended.
const KEEPERS: &[&str] = &[
    "IoAcquireCancelSpinLock",
    "KeAcquireSpinLock",
    "KeAcquireSpinLockRaiseToDpc",
    "KeRaiseIrql",
    "KeRaiseIrqlToDpcLevel",
    "KeRaiseIrqlToSynchLevel",
    "KfAcquireSpinLock",
    "KfRaiseIrql",
];

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let call = params.text("call").or_else(|| params.text("place"));
    if let Some(call) = call.filter(|call| KEEPERS.contains(&call.as_str())) {
        return Err(params.error(format!(
            "irql.raise has no meaning at {call}: it gives its caller the IRQL at which it was \
             called, which would bring the raise back when it has ended; raise the function that \
             calls it"
        )));
    }
    let level = level(params, 1, 2)?;
    Ok(Box::new(IrqlRaise { level }))
}

/// The parameter `level`.
pub(super) fn level(params: &Params<'_>, least: u64, default: u64) -> Result<u8, RuleError> {
    let high = u64::from(params.world.high);
    params
        .within("level", least..=high, default)
        .map(|level| level as u8)
}

impl Fault for IrqlRaise {
    fn reached(&self, at: &mut Site<'_>, what: &str, pc: Option<u64>) {
        // Of any call, one that changes the IRQL would have its own work undone with the raise.
        let changes = |api| matches!(effect::of(api), effect::Kind::Irql | effect::Kind::Lock(..));
        if !at.is_placed() && nt::find(what).is_some_and(changes) {
            return;
        }
        let irql = at.m.state.cores[at.core].irql;
        if irql >= self.level || !at.strikes() {
            return;
        }
        let back = pc.map_or(0, |_| at.return_address());
        at.undo_later(irql, back);
        at.tell(format!(
            "{what} runs at IRQL {} instead of {irql}",
            self.level
        ));
        at.m.set_irql(at.core, self.level);
    }

    fn after_call(&self, at: &mut Site<'_>, _api: &'static Api) {
        self.passing(at, 0);
    }

    fn passing(&self, at: &mut Site<'_>, pc: u64) {
        if let Some(undo) = at.undo(pc)
            && at.m.state.cores[at.core].irql == self.level
        {
            // With a spin lock that it has taken nobody is below DISPATCH_LEVEL.
            let least = match at.m.state.checks.holds_any(at.core) {
                true => at.m.irqls().dispatch.min(self.level),
                false => 0,
            };
            at.m.set_irql(at.core, undo.irql.max(least));
        }
    }
}
