//! `irql.interrupt`: an interrupt or a DPC comes exactly here.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};
use crate::nt::{ndis, timer};
use crate::stop::Stop;

pub(super) const KIND: FaultKind = FaultKind {
    name: "irql.interrupt",
    help: "an interrupt or a DPC that could come at any time comes exactly here",
    opportunity: Opportunity::Place,
    params: &[(
        "what",
        "dpc (what waits in the core's queue), device (what a wire has) or clock (the next timer \
         expires; on core 0); any: the first of them that can come; any if absent",
    )],
    narrows: &["what"],
    source: "Windows driver documentation: Managing Hardware Priorities (which interrupts each \
             IRQL masks off; whatever it does not comes between any two instructions)",
    parse,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Dpc,
    Device(u32),
    Packet(u16),
    Clock,
}

struct Interrupt {
    what: usize,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let what = params.word("what", &["any", "dpc", "device", "clock"])?;
    Ok(Box::new(Interrupt { what }))
}

impl Interrupt {
    /// What can come to the core now.
    fn possible(&self, at: &Site<'_>) -> Option<What> {
        let (m, core) = (&*at.m, at.core);
        let c = &m.state.cores[core];
        let irqls = m.irqls();
        let number = core as u8;
        let dpcs = &m.state.nt.dpcs;
        let wants = |what| self.what == 0 || self.what == what;
        let below = c.irql < irqls.dispatch && !c.in_dpc();
        if wants(1) && below && (dpcs.waiting(number) || dpcs.requested(number)) {
            return Some(What::Dpc);
        }
        if wants(2) {
            if let Some(source) = ndis::pending_interrupt(m, core) {
                return Some(What::Device(source));
            }
            let mut ready = ndis::ready_streams(m);
            let comes = |&stream: &u16| ndis::would_interrupt(m, stream, core);
            if let Some(stream) = ready.find(comes) {
                return Some(What::Packet(stream));
            }
        }
        let clock = wants(3) && core == 0 && c.irql < irqls.clock;
        (clock && m.state.nt.timers.next_due().is_some()).then_some(What::Clock)
    }
}

impl Fault for Interrupt {
    fn interrupts(&self, at: &mut Site<'_>, what: &str) -> Result<bool, Box<Stop>> {
        let Some(source) = self.possible(at) else {
            return Ok(false);
        };
        if !at.strikes() {
            return Ok(false);
        }
        let word = match source {
            What::Dpc => "a DPC",
            What::Device(_) => "a device interrupt",
            What::Packet(_) => "a packet and its interrupt",
            What::Clock => "the clock interrupt, a timer being due,",
        };
        at.tell(format!("{word} comes at {what}"));
        let (core, number) = (at.core, at.core as u8);
        match source {
            What::Dpc => {
                at.m.state.nt.dpcs.request(number);
                at.m.software_interrupts(core);
            }
            What::Device(source) => at.m.interrupt(core, source),
            What::Packet(stream) => {
                at.m.state.lively();
                ndis::arrive(at.m, stream, number);
                if let Some(source) = ndis::pending_interrupt(at.m, core) {
                    at.m.interrupt(core, source);
                }
            }
            What::Clock => {
                let due = at.m.state.nt.timers.next_due().unwrap_or(0);
                at.m.state.skipped += due.saturating_sub(at.m.now());
                timer::expire(at.m, core)?;
                at.m.software_interrupts(core);
            }
        }
        Ok(true)
    }
}
