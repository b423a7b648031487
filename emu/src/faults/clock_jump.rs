//! `time.clock_jump`: much time has passed at once.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "time.clock_jump",
    help: "the clock jumps forward: all cores have been held for a while",
    opportunity: Opportunity::Place,
    params: &[(
        "ms",
        "by so many milliseconds, 1 to 3600000; 1000 if absent",
    )],
    narrows: &[],
    source: "irqlab's own, after VMware, Timekeeping in VMware Virtual Machines: a machine that \
             is suspended and resumed finds that time has passed",
    parse,
};

struct ClockJump {
    ms: u64,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let ms = params.within("ms", 1..=3_600_000, 1000)?;
    Ok(Box::new(ClockJump { ms }))
}

impl Fault for ClockJump {
    fn reached(&self, at: &mut Site<'_>, what: &str, _pc: Option<u64>) {
        if at.strikes() {
            at.tell(format!("the clock jumps by {} ms at {what}", self.ms));
            at.m.state.skipped += self.ms * 10_000;
        }
    }
}
