//! `irql.leave`: a kernel call, behind which other drivers' routines run, or a driver's own routine
//! returns at another IRQL than it was called at.

use super::irql_raise::level;
use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};
use crate::nt::Api;

pub(super) const KIND: FaultKind = FaultKind {
    name: "irql.leave",
    help: "a kernel call or a driver's routine returns at another IRQL, raised or lowered",
    opportunity: Opportunity::Place,
    params: &[(
        "level",
        "the IRQL, 0 to the profile's highest; 2 (DISPATCH_LEVEL) if absent",
    )],
    narrows: &[],
    source: "Driver Verifier: DDI Compliance Checking, rule IrqlReturn; Bug Check 0xC9, 0x05, \
             and 0x4A: a routine of another driver returns at another IRQL",
    parse,
};

struct IrqlLeave {
    level: u8,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    if !["place", "call", "function"]
        .iter()
        .any(|p| params.text(p).is_some())
    {
        return Err(params.error("irql.leave needs a place: call or function"));
    }
    let level = level(params, 0, 2)?;
    Ok(Box::new(IrqlLeave { level }))
}

impl IrqlLeave {
    fn leave(&self, at: &mut Site<'_>, what: &str) {
        let irql = at.m.state.cores[at.core].irql;
        if irql != self.level {
            at.tell(format!(
                "{what} returns at IRQL {} instead of {irql}",
                self.level
            ));
            at.m.set_irql(at.core, self.level);
        }
    }
}

impl Fault for IrqlLeave {
    fn reached(&self, at: &mut Site<'_>, _what: &str, pc: Option<u64>) {
        if pc.is_some() && at.strikes() {
            let back = at.return_address();
            at.undo_later(self.level, back);
        }
    }

    fn after_call(&self, at: &mut Site<'_>, api: &'static Api) {
        let irql = at.m.state.cores[at.core].irql;
        if at.is_call(api) && irql != self.level && at.strikes() {
            self.leave(at, api.name);
        }
    }

    fn passing(&self, at: &mut Site<'_>, pc: u64) {
        if at.undo(pc).is_some() {
            let name = at.name();
            self.leave(at, &name);
        }
    }
}
