//! Where the machine asks the faults. Without rules nothing happens here.

use super::site::Site;
use super::{Armed, Opportunity};
use super::{IrpPoint, Queued, Request};
use crate::machine::Machine;
use crate::nt::Api;
use crate::stop::Stop;

fn each(m: &mut Machine, core: usize, mut visit: impl FnMut(&Armed, &mut Site<'_>)) {
    if m.state.faults.is_empty() {
        return;
    }
    let setup = m.setup.clone();
    for (rule, armed) in setup.faults.rules.iter().enumerate() {
        let rule = rule as u16;
        visit(
            armed,
            &mut Site {
                m,
                core,
                rule,
                armed,
            },
        );
    }
}

/// A driver makes a kernel call, which has been recorded.
pub(crate) fn before_call(m: &mut Machine, core: usize, api: &'static Api) {
    each(m, core, |rule, site| {
        if rule.kind.opportunity == Opportunity::Place && site.is_call(api) {
            rule.fault.reached(site, api.name, None);
        }
    });
    irps(m, core, None, IrpPoint::Call);
}

/// The kernel call returns to the driver.
pub(crate) fn after_call(m: &mut Machine, core: usize, api: &'static Api) {
    each(m, core, |rule, site| rule.fault.after_call(site, api));
}

/// A driver is about to make a kernel call, or to execute the instruction at `pc`. True: the core
/// does something else first.
///
/// # Errors
/// What comes ends the run.
pub(crate) fn interrupts(
    m: &mut Machine,
    core: usize,
    api: Option<&'static Api>,
    pc: u64,
) -> Result<bool, Box<Stop>> {
    let mut any = Ok(false);
    each(m, core, |rule, site| {
        let reached = match api {
            Some(api) => site.is_call(api),
            None => site.is_at(pc),
        };
        if rule.kind.opportunity != Opportunity::Place || !reached || any.is_err() {
            return;
        }
        let here = site.depth(pc);
        let name = site.name();
        let what = api.map_or(name.as_str(), |api| api.name);
        if site.comes_again(here) {
            return;
        }
        match rule.fault.interrupts(site, what) {
            Ok(false) => {}
            Ok(true) => {
                site.will_come_again(here);
                any = Ok(true);
            }
            Err(stop) => any = Err(stop),
        }
    });
    any
}

/// Driver code goes on at one of the places, or returns to the kernel.
pub(crate) fn at_address(m: &mut Machine, core: usize, pc: u64) {
    each(m, core, |rule, site| {
        rule.fault.passing(site, pc);
        if rule.kind.opportunity == Opportunity::Place && site.is_at(pc) {
            let name = site.name();
            rule.fault.reached(site, &name, Some(pc));
        }
    });
}

/// The IRQL has been raised to DISPATCH_LEVEL or above.
pub(crate) fn raised(m: &mut Machine, core: usize) {
    each(m, core, |rule, site| rule.fault.raised(site));
}

/// Whether an allocation is made to fail.
pub(crate) fn allocation(
    m: &mut Machine,
    core: usize,
    size: u64,
    tag: [u8; 4],
    paged: bool,
) -> bool {
    let request = Request { size, tag, paged };
    let mut fails = false;
    each(m, core, |rule, site| {
        fails |= rule.fault.allocation(site, &request)
    });
    fails
}

/// A driver has got a block of pool, whose contents are whatever was there.
pub(crate) fn allocated(
    m: &mut Machine,
    core: usize,
    size: u64,
    tag: [u8; 4],
    paged: bool,
    block: u64,
) {
    let request = Request { size, tag, paged };
    if block != 0 {
        each(m, core, |rule, site| {
            rule.fault.allocated(site, &request, block)
        });
    }
}

/// A driver sets a timer; gives when it is due after all.
pub(crate) fn timer_set(m: &mut Machine, core: usize, timer: u64, due: u64) -> u64 {
    let mut due = due;
    each(m, core, |rule, site| {
        rule.fault.timer_set(site, timer, &mut due)
    });
    due
}

/// Whether a periodic timer that has expired is due again at once.
pub(crate) fn timer_expired(m: &mut Machine, core: usize, timer: u64) -> bool {
    let mut again = false;
    each(m, core, |rule, site| {
        again |= rule.fault.timer_expired(site, timer)
    });
    again
}

/// A driver's DPC is being queued.
pub(crate) fn dpc_queued(m: &mut Machine, core: usize, queued: &mut Queued) {
    each(m, core, |rule, site| rule.fault.dpc_queued(site, queued));
}

/// Whether a driver's DPC is queued once more while it begins.
pub(crate) fn dpc_begins(m: &mut Machine, core: usize, dpc: u64) -> bool {
    let mut again = false;
    each(m, core, |rule, site| {
        again |= rule.fault.dpc_begins(site, dpc)
    });
    again
}

/// Whether an IRP becomes pending before its driver gets it.
pub(crate) fn dispatch(m: &mut Machine, core: usize, irp: u64) -> bool {
    let mut pends = false;
    each(m, core, |rule, site| {
        pends |= rule.fault.dispatch(site, irp)
    });
    pends
}

/// The core that completes an IRP instead of this one.
pub(crate) fn complete(m: &mut Machine, core: usize, irp: u64) -> Option<u8> {
    let mut elsewhere = None;
    each(m, core, |rule, site| {
        elsewhere = elsewhere.or_else(|| rule.fault.complete(site, irp));
    });
    elsewhere
}

/// An IRP of a requester, or all that are with drivers, come to a point of their lives.
pub(crate) fn irps(m: &mut Machine, core: usize, irp: Option<u64>, point: IrpPoint) {
    // Nobody else asks, and this is asked at every call.
    let mut rules = m.setup.faults.rules.iter();
    if !rules.any(|rule| rule.kind.name == super::io_cancel::KIND.name) {
        return;
    }
    for candidate in m.state.nt.io.irps.cancellable() {
        if irp.is_none_or(|irp| irp == candidate) {
            each(m, core, |rule, site| rule.fault.irp(site, candidate, point));
        }
    }
}

/// A frame comes from the wire: what comes instead.
pub(crate) fn frames(m: &mut Machine, core: usize, adapter: usize, frame: Vec<u8>) -> Vec<Vec<u8>> {
    let mut frames = vec![frame];
    each(m, core, |rule, site| {
        frames = rule
            .fault
            .frames(site, adapter, std::mem::take(&mut frames));
    });
    frames
}

/// Whether protocols may not keep a packet.
pub(crate) fn lent(m: &mut Machine, core: usize) -> bool {
    let mut denied = false;
    each(m, core, |rule, site| denied |= rule.fault.lent(site));
    denied
}
