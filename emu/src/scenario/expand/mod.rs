//! From a [`Scenario`] and what the user chose to a [`Plan`].

mod expectation;
mod fault;
mod machine;
mod packet;
mod stream;
mod thread;
mod wait;
mod walk;

pub use fault::fault_from;

use std::collections::BTreeSet;
use std::ops::Range;

use super::Scenario;
use super::condition::Scope;
use super::context::Context;
use super::error::{ScenarioError, one_of};
use super::plan::{Adapter, Flow, Host, Matcher, Plan};
use super::settings::Selection;
use super::{oracles, rules};

/// How many steps and items a scenario may come to.
const ITEMS_MAX: usize = 200_000;

/// Reads a file that a scenario refers to, given its path as written; the error says why not.
pub(super) type Files<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

/// What is known while a scenario is expanded.
struct Expander<'a> {
    scenario: &'a Scenario,
    files: Files<'a>,
    profile: isa::Profile,
    scope: Scope,
    /// Names of the drivers, in load order.
    drivers: Vec<String>,
    adapters: Vec<Adapter>,
    hosts: Vec<Host>,
    flows: Vec<Flow>,
    matchers: Vec<Matcher>,
    signals: Vec<String>,
    /// Signals that somebody raises.
    raised: BTreeSet<usize>,
    /// Signals that somebody awaits, and where.
    awaited: Vec<(usize, Range<usize>)>,
    /// Items that may still be added.
    budget: usize,
}

impl Scenario {
    /// Makes every choice. `files` reads a file that the scenario refers to, given its path as
    /// written there.
    ///
    /// # Errors
    /// A choice that the scenario does not offer, a value that is wrong under these choices, or
    /// a file that cannot be read.
    pub fn expand(
        &self,
        selection: &Selection,
        files: &dyn Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Plan, ScenarioError> {
        let chosen = self.choose(selection)?;
        let value_of = |name: &str| chosen.settings[name].clone();
        let scope = self.scope(chosen.profile, chosen.personality, chosen.cpus, |setting| {
            value_of(&setting.name)
        })?;
        let mut expander = Expander {
            scenario: self,
            files,
            profile: chosen.profile,
            scope,
            drivers: Vec::new(),
            adapters: Vec::new(),
            hosts: Vec::new(),
            flows: Vec::new(),
            matchers: Vec::new(),
            signals: Vec::new(),
            raised: BTreeSet::new(),
            awaited: Vec::new(),
            budget: ITEMS_MAX,
        };
        let drivers = expander.drivers()?;
        expander.drivers = drivers.iter().map(|d| d.name.clone()).collect();
        let registry = expander.registry()?;
        expander.adapters()?;
        expander.hosts()?;
        let streams = expander.streams()?;
        let threads = expander.threads()?;
        expander.check_signals()?;
        Ok(Plan {
            scenario: self.name.clone(),
            profile: chosen.profile,
            personality: chosen.personality,
            cpus: chosen.cpus,
            settings: chosen
                .settings
                .into_iter()
                .map(|(k, v)| (k, v.to_string()))
                .collect(),
            drivers,
            registry,
            streams,
            threads,
            faults: expander.faults(&selection.faults)?,
            oracles: oracles::chosen(&self.source, &self.file, &selection.oracles)?,
            rules: rules::chosen(&self.source, &self.file, &selection.rules)?,
            limits: expander.limits()?,
            memory: expander.memory()?,
            expect: expander.expectation()?,
            adapters: expander.adapters,
            hosts: expander.hosts,
            flows: expander.flows,
            matchers: expander.matchers,
            signals: expander.signals,
        })
    }
}

impl<'a> Expander<'a> {
    /// The values of the file under the names of `scope`.
    fn under<'c>(&self, scope: &'c Scope) -> Context<'c>
    where
        'a: 'c,
    {
        Context {
            source: &self.scenario.source,
            scope,
        }
    }

    /// The values of the file outside of any `repeat`.
    fn context(&self) -> Context<'_> {
        self.under(&self.scope)
    }

    /// Index of the signal of this name.
    fn signal(&mut self, name: &str) -> usize {
        self.signals
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                self.signals.push(name.to_owned());
                self.signals.len() - 1
            })
    }

    /// A signal that nobody raises would hold a stream or a thread up for ever.
    fn check_signals(&self) -> Result<(), ScenarioError> {
        let lost = self
            .awaited
            .iter()
            .find(|(signal, _)| !self.raised.contains(signal));
        let Some((signal, place)) = lost else {
            return Ok(());
        };
        let name = &self.signals[*signal];
        let raised = self
            .raised
            .iter()
            .map(|&raised| self.signals[raised].as_str());
        let problem = format!("nobody raises the signal '{name}' under these settings");
        Err(self.scenario.source.error(
            place.clone(),
            problem,
            one_of("signals raised", name, raised),
        ))
    }

    /// Takes one item off the budget.
    fn spend(&mut self, place: Range<usize>) -> Result<(), ScenarioError> {
        match self.budget.checked_sub(1) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => {
                let problem = format!("the scenario comes to more than {ITEMS_MAX} items");
                Err(self
                    .scenario
                    .source
                    .error(place, problem, "repeat less often"))
            }
        }
    }
}
