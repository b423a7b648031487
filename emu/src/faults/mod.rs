//! Fault injection: rules of a scenario that make the outside world unlucky. Each kind is a file
//! and a line in [`KINDS`]; each strike is a choice, unless the rule says when to strike. What a
//! strike changes is what real hardware or Windows may do: [`FaultKind::source`] says where that
//! is known from.

mod clock_jump;
mod dpc_delay;
mod dpc_move;
mod dpc_twice;
mod hooks;
mod interrupt;
mod io_cancel;
mod io_elsewhere;
mod io_pend;
mod io_remove;
mod io_unload;
mod ipi_late;
mod irql_leave;
mod irql_raise;
mod net;
mod page_out;
mod place;
mod pool_fail;
mod pool_fill;
mod rule;
mod site;
mod stall;
mod timer_early;
mod timer_late;
mod timer_storm;

pub(crate) use hooks::*;
pub use rule::{RuleError, WHEN, WHERE};
pub use site::Progress;

use std::sync::Arc;

use crate::loader::Image;
use crate::machine::LoadedModule;
use crate::nt::Api;
use crate::scenario::FaultRule;
use crate::stop::Stop;
use place::Place;
use rule::Which;
use site::Site;

/// A kind of fault.
pub struct FaultKind {
    /// Its name in scenarios and on the command line.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// What it can strike at.
    pub opportunity: Opportunity,
    /// Its own parameters: name and help.
    pub params: &'static [(&'static str, &'static str)],
    /// Those of its own parameters that narrow what it strikes at.
    pub narrows: &'static [&'static str],
    /// Where it is known from that this happens.
    pub source: &'static str,
    /// Makes a fault of a rule's parameters.
    parse: fn(&rule::Params<'_>) -> Result<Box<dyn Fault>, RuleError>,
}

/// What a kind of fault can strike at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opportunity {
    /// A place in what drivers do; without one, any kernel call that a driver makes.
    Place,
    /// Events of its own; a place narrows them to those that a driver causes there.
    Event,
    /// Events of its own that no driver causes.
    Outside,
}

impl FaultKind {
    /// All its parameters, its own first: name and help.
    pub fn all_params(&self) -> impl Iterator<Item = (&'static str, &'static str)> + Clone {
        let places = match self.opportunity {
            Opportunity::Place => rule::WHERE,
            // Only an instruction has a line.
            Opportunity::Event => &rule::WHERE[..3],
            Opportunity::Outside => &[],
        };
        let all = self.params.iter().chain(places).chain(rule::WHEN);
        all.copied()
    }
}

/// Every kind of fault.
pub const KINDS: &[FaultKind] = &[
    irql_raise::KIND,
    irql_leave::KIND,
    interrupt::KIND,
    ipi_late::KIND,
    page_out::KIND,
    pool_fail::KIND,
    pool_fill::KIND,
    timer_early::KIND,
    timer_late::KIND,
    timer_storm::KIND,
    dpc_delay::KIND,
    dpc_move::KIND,
    dpc_twice::KIND,
    stall::KIND,
    clock_jump::KIND,
    io_cancel::KIND,
    io_pend::KIND,
    io_elsewhere::KIND,
    io_remove::KIND,
    io_unload::KIND,
    net::drop::KIND,
    net::duplicate::KIND,
    net::reorder::KIND,
    net::delay::KIND,
    net::truncate::KIND,
    net::corrupt::KIND,
    net::split::KIND,
    net::overlap::KIND,
    net::coalesce::KIND,
    net::burst::KIND,
    net::no_buffers::KIND,
];

/// A fault as the machine sees it: called wherever it might strike. Whatever it remembers is in
/// its [`Progress`], so that the machine stays a value.
trait Fault: Send + Sync {
    /// Without a place, every kernel call of a driver is one.
    fn anywhere(&self) -> bool {
        true
    }
    /// The rule's place is reached: a kernel call is made, or the instruction at `pc` is about to
    /// execute.
    fn reached(&self, _at: &mut Site<'_>, _what: &str, _pc: Option<u64>) {}
    /// The same, before anything of the call or instruction is done. True: the core does something
    /// else first, or nothing for a while, and comes to the place again.
    ///
    /// # Errors
    /// What comes ends the run.
    fn interrupts(&self, _at: &mut Site<'_>, _what: &str) -> Result<bool, Box<Stop>> {
        Ok(false)
    }
    /// A kernel call returns to the driver.
    fn after_call(&self, _at: &mut Site<'_>, _api: &'static Api) {}
    /// The instruction at `pc`, where someone asked to stop, is about to execute; or driver code
    /// returns to the kernel.
    fn passing(&self, _at: &mut Site<'_>, _pc: u64) {}
    /// The core's IRQL has been raised to DISPATCH_LEVEL or above.
    fn raised(&self, _at: &mut Site<'_>) {}
    /// A pool allocation is about to succeed; true makes it fail.
    fn allocation(&self, _at: &mut Site<'_>, _request: &Request) -> bool {
        false
    }
    /// A driver has got a block of pool.
    fn allocated(&self, _at: &mut Site<'_>, _request: &Request, _block: u64) {}
    /// A driver sets a timer that is due at this time, in 100 ns.
    fn timer_set(&self, _at: &mut Site<'_>, _timer: u64, _due: &mut u64) {}
    /// A periodic timer has expired; true: it is due again at once.
    fn timer_expired(&self, _at: &mut Site<'_>, _timer: u64) -> bool {
        false
    }
    /// A driver's DPC is being queued.
    fn dpc_queued(&self, _at: &mut Site<'_>, _queued: &mut Queued) {}
    /// A driver's DPC is about to begin; true: it is queued once more meanwhile.
    fn dpc_begins(&self, _at: &mut Site<'_>, _dpc: u64) -> bool {
        false
    }
    /// An IRP is about to go to the driver of a device; true: it becomes pending instead, and goes
    /// there later.
    fn dispatch(&self, _at: &mut Site<'_>, _irp: u64) -> bool {
        false
    }
    /// A driver completes an IRP; the core that does it instead.
    fn complete(&self, _at: &mut Site<'_>, _irp: u64) -> Option<u8> {
        None
    }
    /// An IRP of a requester has come to a point of its life.
    fn irp(&self, _at: &mut Site<'_>, _irp: u64, _point: IrpPoint) {}
    /// A frame comes from the wire: what comes instead.
    fn frames(&self, _at: &mut Site<'_>, _adapter: usize, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        frames
    }
    /// The miniport is about to indicate a packet that protocols may keep; true: they may not.
    fn lent(&self, _at: &mut Site<'_>) -> bool {
        false
    }
}

/// A request for pool.
struct Request {
    size: u64,
    tag: [u8; 4],
    paged: bool,
}

/// A driver's DPC that is being queued.
pub(crate) struct Queued {
    /// The core that will run it.
    pub target: u8,
    /// Whether the driver has chosen that core.
    pub targeted: bool,
    /// Whether that core is asked to run it.
    pub asked: bool,
    /// Until when, in 100 ns since power-on, that core does not hear of it; 0: at once.
    pub late_until: u64,
    /// Whether the asking comes from another core.
    pub remote: bool,
}

/// A point in the life of an IRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IrpPoint {
    /// A driver is about to get it.
    Dispatched,
    /// The driver has returned STATUS_PENDING.
    Pending,
    /// The driver is about to complete it.
    Completing,
    /// A driver that has it makes a kernel call.
    Call,
}

/// What rules are checked against.
struct World<'a> {
    arch: isa::Arch,
    cpus: u8,
    /// The profile's highest IRQL.
    high: u8,
    images: Vec<&'a Image>,
    /// The kernel functions that the drivers import, in alphabetical order.
    imported: Vec<&'static str>,
}

/// A rule, ready to strike.
#[derive(Clone)]
struct Armed {
    kind: &'static FaultKind,
    fault: Arc<dyn Fault>,
    place: Place,
    /// Where the place is, in every driver that has it.
    addresses: Vec<u64>,
    which: Which,
    core: Option<u8>,
    times: Option<u64>,
    /// It strikes while the drivers start, and not in the run.
    boot: bool,
}

/// Whether a rule can strike once for each call stack, and leaves it to the schedule when it does.
pub fn fails_stacks(rule: &FaultRule) -> bool {
    let kind = KINDS.iter().find(|kind| kind.name == rule.kind);
    let can = kind.is_some_and(|kind| kind.params.iter().any(|(name, _)| *name == "each_stack"));
    can && !rule.decides() && !rule.params.contains_key("boot")
}

/// The faults of a plan, ready to strike.
#[derive(Clone, Default)]
pub struct Faults {
    rules: Vec<Armed>,
}

impl Faults {
    /// Checks and prepares the rules for a machine of `cpus` cores with these modules.
    ///
    /// # Errors
    /// The first rule with an unknown kind or parameter, a value out of range, a place that no
    /// driver has, or a strike that an earlier rule decides as well.
    pub fn new(
        rules: &[FaultRule],
        profile: isa::Profile,
        cpus: u8,
        modules: &[LoadedModule],
    ) -> Result<Faults, RuleError> {
        let images = modules.iter().filter_map(|m| m.image.as_deref());
        let images: Vec<&Image> = images.collect();
        let imports = images.iter().flat_map(|image| &image.imports);
        let found = imports.filter_map(|import| crate::nt::find(&import.name));
        let mut imported: Vec<&str> = found.map(|api| api.name).collect();
        imported.sort_unstable();
        imported.dedup();
        let world = World {
            arch: profile.arch(),
            cpus,
            high: profile.irql().high,
            images,
            imported,
        };
        let armed = rules.iter().map(|rule| rule::parse(rule, &world));
        let armed = armed.collect::<Result<Vec<_>, _>>()?;
        rule::agree(rules, &armed)?;
        Ok(Faults { rules: armed })
    }

    /// Addresses at which the engine has to stop for them.
    pub(crate) fn places(&self) -> impl Iterator<Item = u64> {
        self.rules.iter().flat_map(|rule| &rule.addresses).copied()
    }
}
