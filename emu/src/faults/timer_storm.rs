//! `time.timer_storm`: a periodic timer catches up on the periods that it has missed.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "time.timer_storm",
    help: "a periodic timer expires several times, one right after the other",
    opportunity: Opportunity::Outside,
    params: &[("count", "so many times more, 1 to 1000; 8 if absent")],
    narrows: &[],
    source: "irqlab's own, after VMware, Timekeeping in VMware Virtual Machines: timer \
             interrupts that a virtual machine has missed are delivered one right after the \
             other",
    parse,
};

struct TimerStorm {
    count: u64,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let count = params.within("count", 1..=1000, 8)?;
    Ok(Box::new(TimerStorm { count }))
}

impl Fault for TimerStorm {
    fn timer_expired(&self, at: &mut Site<'_>, _timer: u64) -> bool {
        if at.progress().left > 0 {
            at.progress().left -= 1;
            return true;
        }
        if !at.strikes() {
            return false;
        }
        at.tell(format!(
            "a periodic timer expires {} times more at once",
            self.count
        ));
        at.progress().left = self.count - 1;
        true
    }
}
