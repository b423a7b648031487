//! Fault injection: rules of a scenario that make the outside world unlucky. Each kind is a file
//! and a line in [`KINDS`]; each strike is a choice, unless the rule says when to strike.

mod irql_raise;
mod page_out;
mod pool_fail;
mod rule;

pub use rule::RuleError;

use std::sync::Arc;

use crate::machine::{Machine, Setup};
use crate::nt::{Api, Trouble};
use crate::scenario::FaultRule;
use crate::trace::EventKind;

/// A kind of fault.
pub struct FaultKind {
    /// Its name in scenarios and on the command line.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Its parameters: name and help.
    pub params: &'static [(&'static str, &'static str)],
    /// Makes a fault of a rule's parameters.
    parse: fn(&rule::Params<'_>) -> Result<Arc<dyn Fault>, RuleError>,
}

/// Every kind of fault.
pub const KINDS: &[FaultKind] = &[irql_raise::KIND, page_out::KIND, pool_fail::KIND];

/// What a rule has seen and done so far. A plain value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Opportunities so far.
    pub seen: u64,
    /// Times it struck.
    pub struck: u64,
    /// What has to be undone, innermost last.
    undo: Vec<Undo>,
}

/// An IRQL to restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Undo {
    core: u8,
    irql: u8,
    /// Where: the return address of the routine; 0 for a kernel call, which ends by itself.
    at: u64,
}

/// A fault as the machine sees it: called wherever it might strike. Whatever it remembers is in
/// its [`Progress`], so that the machine stays a value.
trait Fault: Send + Sync {
    /// Addresses before which [`Fault::at`] wants to be called.
    fn places(&self, _setup: &Setup) -> Vec<u64> {
        Vec::new()
    }
    /// A driver makes a kernel call.
    fn before_call(&self, _at: &mut Site<'_>, _api: &'static Api) {}
    /// The kernel call returns to the driver.
    fn after_call(&self, _at: &mut Site<'_>) {}
    /// An instruction at one of the places is about to execute.
    fn at(&self, _at: &mut Site<'_>, _pc: u64) {}
    /// The core's IRQL has been raised to DISPATCH_LEVEL or above.
    fn raised(&self, _at: &mut Site<'_>) {}
    /// A pool allocation is about to succeed; true makes it fail.
    fn allocation(&self, _at: &mut Site<'_>, _request: &Request) -> bool {
        false
    }
}

/// A request for pool.
struct Request {
    size: u64,
    tag: [u8; 4],
    paged: bool,
}

/// Where a fault may strike.
struct Site<'a> {
    m: &'a mut Machine,
    core: usize,
    rule: u16,
}

impl Site<'_> {
    fn progress(&mut self) -> &mut Progress {
        &mut self.m.state.faults[usize::from(self.rule)]
    }

    /// An opportunity: does the fault strike? Counts it; asks the schedule unless the rule says
    /// which one.
    fn strikes(&mut self, which: rule::Which) -> bool {
        if !self.m.state.choosing {
            return false;
        }
        self.progress().seen += 1;
        let seen = self.progress().seen;
        let strikes = match which {
            rule::Which::Every => true,
            rule::Which::Nth(n) => seen == n,
            rule::Which::Choice => self.m.strikes(self.rule),
        };
        if strikes {
            self.progress().struck += 1;
        }
        strikes
    }

    fn tell(&mut self, fault: &'static str, detail: String) {
        self.m.event(self.core, EventKind::Injected { fault, detail });
    }
}

/// The faults of a plan, ready to strike.
#[derive(Clone, Default)]
pub struct Faults(Vec<Arc<dyn Fault>>);

impl Faults {
    /// Checks and prepares the rules.
    ///
    /// # Errors
    /// The first rule with an unknown kind or parameter, or a value out of range.
    pub fn new(rules: &[FaultRule]) -> Result<Faults, RuleError> {
        rules.iter().map(rule::parse).collect::<Result<_, _>>().map(Faults)
    }

    /// Addresses at which the engine has to stop for them.
    pub(crate) fn places(&self, setup: &Setup) -> Vec<u64> {
        self.0.iter().flat_map(|f| f.places(setup)).collect()
    }
}

fn each(m: &mut Machine, core: usize, mut visit: impl FnMut(&dyn Fault, &mut Site<'_>)) {
    if m.state.faults.is_empty() {
        return;
    }
    let setup = m.setup.clone();
    for (rule, fault) in setup.faults.0.iter().enumerate() {
        visit(&**fault, &mut Site { m, core, rule: rule as u16 });
    }
}

pub(crate) fn before_call(m: &mut Machine, core: usize, api: &'static Api) -> Result<(), Trouble> {
    each(m, core, |fault, site| fault.before_call(site, api));
    Ok(())
}

pub(crate) fn after_call(m: &mut Machine, core: usize) {
    each(m, core, |fault, site| fault.after_call(site));
}

pub(crate) fn raised(m: &mut Machine, core: usize) {
    each(m, core, |fault, site| fault.raised(site));
}

pub(crate) fn at_address(m: &mut Machine, core: usize, pc: u64) {
    each(m, core, |fault, site| fault.at(site, pc));
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
    each(m, core, |fault, site| fails |= fault.allocation(site, &request));
    fails
}
