//! `time.timer_early`: a timer expires before its time.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};

pub(super) const KIND: FaultKind = FaultKind {
    name: "time.timer_early",
    help: "a timer that a driver sets expires early",
    opportunity: Opportunity::Event,
    params: &[(
        "ms",
        "by so many milliseconds, 1 to 16, never before now; 16 (one tick of the clock) if absent",
    )],
    narrows: &[],
    source: "Windows driver documentation: Timer Accuracy (a relative time can expire up to a \
             period of the system clock early)",
    parse,
};

struct TimerEarly {
    ms: u64,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let ms = params.within("ms", 1..=16, 16)?;
    Ok(Box::new(TimerEarly { ms }))
}

impl Fault for TimerEarly {
    fn timer_set(&self, at: &mut Site<'_>, _timer: u64, due: &mut u64) {
        let now = at.m.now();
        if *due > now && at.strikes() {
            let early = due.saturating_sub(self.ms * 10_000).max(now);
            at.tell(format!("a timer expires {} us early", (*due - early) / 10));
            *due = early;
        }
    }
}
