//! `time.timer_late`: a timer expires after its time.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "time.timer_late",
    help: "a timer that a driver sets expires late",
    opportunity: Opportunity::Event,
    params: &[("ms", "by so many milliseconds, 1 to 3600000; 100 if absent")],
    narrows: &[],
    source: "Windows driver documentation: Timer Accuracy (up to a period of the system clock \
             late); longer is irqlab's own: whatever holds up the clock interrupt",
    parse,
};

struct TimerLate {
    ms: u64,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let ms = params.within("ms", 1..=3_600_000, 100)?;
    Ok(Box::new(TimerLate { ms }))
}

impl Fault for TimerLate {
    fn timer_set(&self, at: &mut Site<'_>, _timer: u64, due: &mut u64) {
        if at.strikes() {
            at.tell(format!("a timer expires {} ms late", self.ms));
            *due += self.ms * 10_000;
        }
    }
}
