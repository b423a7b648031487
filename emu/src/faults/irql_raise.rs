//! `irql.raise`: a kernel call, a routine of a driver or the rest of one runs at a higher IRQL than
//! its caller meant it to.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};
use crate::nt::{self, Api, effect};

pub(super) const KIND: FaultKind = FaultKind {
    name: "irql.raise",
    help: "a kernel call (any that leaves the IRQL alone, if no place is given) or a driver's routine runs at a higher IRQL, until it returns",
    opportunity: Opportunity::Place,
    params: &[(
        "level",
        "the IRQL, 1 to the profile's highest; 2 (DISPATCH_LEVEL) if absent",
    )],
    narrows: &[],
    source: "Windows driver documentation: Managing Hardware Priorities (a caller may hold a spin \
             lock, or be a DPC)",
    parse,
};

struct IrqlRaise {
    level: u8,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
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
        if let Some(undo) = at.undo(pc) {
            at.m.set_irql(at.core, undo.irql);
        }
    }
}
