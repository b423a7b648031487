//! Fault injection: rules of a scenario that make the outside world unlucky. Each kind is a file
//! and a line in [`KINDS`]; each strike is a choice, unless the rule says when to strike.

mod irql_raise;
mod page_out;
mod pool_fail;
mod rule;

pub use rule::RuleError;

use std::sync::Arc;

use crate::machine::{LoadedModule, Machine};
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// Opportunities so far.
    pub seen: u64,
    /// Times it struck.
    pub struck: u64,
    /// What has to be undone, innermost last.
    undo: Vec<Undo>,
}

/// An IRQL to restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Undo {
    core: u8,
    irql: u8,
    /// Where: the return address of the routine; 0 for a kernel call, which ends by itself.
    at: u64,
    /// The stack pointer at the routine's entry: calls that it makes return below.
    sp: u64,
    /// The contexts of the core: what interrupts the routine returns above.
    contexts: usize,
}

/// A fault as the machine sees it: called wherever it might strike. Whatever it remembers is in
/// its [`Progress`], so that the machine stays a value.
trait Fault: Send + Sync {
    /// The driver's function, by the end of its name, before which [`Fault::at`] is to be called.
    fn routine(&self) -> Option<&str> {
        None
    }
    /// A driver makes a kernel call.
    fn before_call(&self, _at: &mut Site<'_>, _api: &'static Api) {}
    /// The kernel call returns to the driver.
    fn after_call(&self, _at: &mut Site<'_>) {}
    /// The instruction at `pc`, where someone asked to stop, is about to execute; or driver code
    /// returns to the kernel.
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

    /// Whether the routine that the rule names begins at `pc`.
    fn begins(&self, pc: u64) -> bool {
        self.m.setup.faults.places[usize::from(self.rule)].contains(&pc)
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
            rule::Which::Choice => self.m.strikes(self.core, self.rule),
        };
        if strikes {
            self.progress().struck += 1;
        }
        strikes
    }

    fn tell(&mut self, fault: &'static str, detail: String) {
        self.m
            .event(self.core, EventKind::Injected { fault, detail });
    }
}

/// The faults of a plan, ready to strike.
#[derive(Clone, Default)]
pub struct Faults {
    rules: Vec<Arc<dyn Fault>>,
    /// Where the routine of each rule begins, in every driver that has it.
    places: Vec<Vec<u64>>,
}

impl Faults {
    /// Checks and prepares the rules for these modules.
    ///
    /// # Errors
    /// The first rule with an unknown kind or parameter, a value out of range, or a routine that
    /// no driver has.
    pub fn new(rules: &[FaultRule], modules: &[LoadedModule]) -> Result<Faults, RuleError> {
        let mut faults = Faults::default();
        for rule in rules {
            let fault = rule::parse(rule)?;
            let name = fault.routine();
            let images = modules.iter().filter_map(|m| m.image.as_ref());
            let starts = |name| images.flat_map(|i| i.functions_named(name)).collect();
            let places: Vec<u64> = name.map_or_else(Vec::new, starts);
            if let Some(name) = name.filter(|_| places.is_empty()) {
                let message = format!("no driver has a function whose name ends with '{name}'");
                return Err(RuleError {
                    origin: rule.origin.clone(),
                    message,
                });
            }
            faults.rules.push(fault);
            faults.places.push(places);
        }
        Ok(faults)
    }

    /// Addresses at which the engine has to stop for them.
    pub(crate) fn places(&self) -> impl Iterator<Item = u64> {
        self.places.iter().flatten().copied()
    }
}

fn each(m: &mut Machine, core: usize, mut visit: impl FnMut(&dyn Fault, &mut Site<'_>)) {
    if m.state.faults.is_empty() {
        return;
    }
    let setup = m.setup.clone();
    for (rule, fault) in setup.faults.rules.iter().enumerate() {
        visit(
            &**fault,
            &mut Site {
                m,
                core,
                rule: rule as u16,
            },
        );
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

/// Driver code goes on at one of the places, or returns to the kernel.
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
    each(m, core, |fault, site| {
        fails |= fault.allocation(site, &request)
    });
    fails
}
