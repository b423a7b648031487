//! A scenario and what is chosen for it: machine, settings, seed, search.

use std::fs;

use emu::choice::strategy::{STRATEGIES, StrategyKind, find};
use emu::faults::KINDS;
use emu::machine::Granularity;
use emu::scenario::{CPUS_MAX, Plan, Selection, SettingKind, Value};

use super::commands::explore_job;
use super::line::words;
use super::search_job::SearchJob;
use super::worker::{CaseChoice, Task};
use crate::catalogue::Source;
use crate::cli::{DEFAULT_STRATEGY, SEARCHES};
use crate::replay_line::{Answers, replay_line};

/// A scenario and what is chosen for it.
pub struct Entry {
    /// The scenario.
    pub source: Source,
    profile: usize,
    personality: usize,
    cpus: u8,
    settings: Vec<Value>,
    granularity: Granularity,
    strategy: &'static StrategyKind,
    search: &'static str,
    /// The kind of fault that is injected, by its place in the list; none at first.
    fault: Option<usize>,
    /// The strategy's seed.
    pub(super) seed: u64,
    plan: Result<Plan, String>,
}

/// Something that can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The emulated machine.
    Profile,
    /// The modelled Windows.
    Personality,
    /// Number of processors.
    Cpus,
    /// A setting of the scenario, by index.
    Setting(usize),
    /// How often the outside world decides.
    Granularity,
    /// What answers the choices.
    Strategy,
    /// The strategy's seed.
    Seed,
    /// How schedules are searched.
    Search,
    /// Which fault is injected.
    Fault,
}

impl Entry {
    /// A scenario with its defaults.
    pub fn new(source: Source) -> Entry {
        let scenario = &source.scenario;
        let mut entry = Entry {
            profile: 0,
            personality: 0,
            cpus: scenario.cpus,
            settings: scenario
                .settings
                .iter()
                .map(|setting| setting.default.clone())
                .collect(),
            granularity: Granularity::Access,
            strategy: find(DEFAULT_STRATEGY).unwrap_or(&STRATEGIES[0]),
            search: SEARCHES[0].0,
            fault: None,
            seed: 1,
            plan: Err(String::new()),
            source,
        };
        entry.refresh();
        entry
    }

    /// Works the plan out anew: not when a frame is drawn, since it may read files.
    pub(super) fn refresh(&mut self) {
        let files = |path: &str| match &self.source.folder {
            Some(folder) => fs::read(folder.join(path)).map_err(|error| error.to_string()),
            None => Err("a bundled scenario has no files beside it".to_owned()),
        };
        let plan = self.source.scenario.expand(&self.selection(), &files);
        self.plan = plan.map_err(|error| error.to_string());
    }

    /// What can be changed, in order.
    pub fn fields(&self) -> Vec<Field> {
        let settings = (0..self.settings.len()).map(Field::Setting);
        [Field::Profile, Field::Personality, Field::Cpus]
            .into_iter()
            .chain(settings)
            .chain([
                Field::Granularity,
                Field::Strategy,
                Field::Seed,
                Field::Search,
                Field::Fault,
            ])
            .collect()
    }

    /// The name of a field.
    pub fn name(&self, field: Field) -> &str {
        match field {
            Field::Profile => "profile",
            Field::Personality => "personality",
            Field::Cpus => "processors",
            Field::Setting(i) => &self.source.scenario.settings[i].name,
            Field::Granularity => "granularity",
            Field::Strategy => "strategy",
            Field::Seed => "seed",
            Field::Search => "search",
            Field::Fault => "fault",
        }
    }

    /// The value of a field.
    pub fn value(&self, field: Field) -> String {
        let scenario = &self.source.scenario;
        match field {
            Field::Profile => scenario.profiles[self.profile].name().into(),
            Field::Personality => scenario.personalities[self.personality].name().into(),
            Field::Cpus => self.cpus.to_string(),
            Field::Setting(i) => self.settings[i].to_string(),
            Field::Granularity => self.granularity.name().into(),
            Field::Strategy => self.strategy.name.into(),
            Field::Seed => self.seed.to_string(),
            Field::Search => self.search.into(),
            Field::Fault => self.fault.map_or("none", |i| KINDS[i].name).into(),
        }
    }

    /// What a field means, in one line.
    pub fn help(&self, field: Field) -> &str {
        let scenario = &self.source.scenario;
        match field {
            Field::Profile => scenario.profiles[self.profile].describe(),
            Field::Personality => "the modelled Windows",
            Field::Cpus => "number of processors",
            Field::Setting(i) => &scenario.settings[i].help,
            Field::Granularity => match self.granularity {
                Granularity::Sync => "choices at kernel calls, locks and interrupts",
                Granularity::Access => "choices also before every shared memory access",
                Granularity::Insn => "choices before every instruction",
            },
            Field::Strategy => self.strategy.help,
            Field::Seed => "one seed is one run; digits type it",
            Field::Fault => self.fault.map_or("nothing is injected", |i| KINDS[i].help),
            Field::Search => {
                let help = SEARCHES.iter().find(|(name, _)| *name == self.search);
                let drawn = || find(self.search).map(|kind| kind.help);
                help.map(|(_, help)| *help).or_else(drawn).unwrap_or("")
            }
        }
    }

    /// Changes a field to its next value, or the one before.
    pub(super) fn change(&mut self, field: Field, by: isize) {
        let scenario = &self.source.scenario;
        match field {
            Field::Profile => self.profile = turn(self.profile, scenario.profiles.len(), by),
            Field::Personality => {
                self.personality = turn(self.personality, scenario.personalities.len(), by);
            }
            Field::Cpus => {
                let index = turn(usize::from(self.cpus) - 1, usize::from(CPUS_MAX), by);
                self.cpus = index as u8 + 1;
            }
            Field::Setting(i) => {
                let value = &mut self.settings[i];
                *value = turn_value(&scenario.settings[i].kind, value, by);
            }
            Field::Granularity => {
                self.granularity = turn_in(&Granularity::ALL, self.granularity, by)
            }
            Field::Strategy => {
                let at = STRATEGIES.iter().position(|s| s.name == self.strategy.name);
                self.strategy = &STRATEGIES[turn(at.unwrap_or(0), STRATEGIES.len(), by)];
            }
            Field::Seed => self.seed = self.seed.saturating_add_signed(by as i64),
            Field::Fault => {
                let at = turn(self.fault.map_or(0, |i| i + 1), KINDS.len() + 1, by);
                self.fault = at.checked_sub(1);
            }
            Field::Search => {
                let all: Vec<&'static str> = SEARCHES
                    .iter()
                    .map(|(name, _)| *name)
                    .chain(STRATEGIES.iter().map(|kind| kind.name))
                    .collect();
                self.search = turn_in(&all, self.search, by);
            }
        }
        self.refresh();
        // A kind that cannot do without parameters is for the command line.
        if field == Field::Fault && self.fault.is_some() && self.plan.is_err() {
            self.change(field, by);
        }
    }

    /// What is chosen.
    pub fn selection(&self) -> Selection {
        let scenario = &self.source.scenario;
        let settings = scenario.settings.iter().zip(&self.settings);
        Selection {
            profile: Some(scenario.profiles[self.profile]),
            personality: Some(scenario.personalities[self.personality]),
            cpus: Some(self.cpus),
            set: settings
                .map(|(s, value)| (s.name.clone(), value.to_string()))
                .collect(),
            faults: self.faults(),
            oracles: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// The fault rule, as the command line writes it.
    fn faults(&self) -> Vec<String> {
        let kind = self.fault.map(|i| KINDS[i].name.to_owned());
        kind.into_iter().collect()
    }

    /// The run of what is chosen.
    ///
    /// # Errors
    /// The scenario does not offer what is chosen.
    pub fn task(&self, tries: u64) -> Result<(CaseChoice, Task), String> {
        self.plan.as_ref().map_err(Clone::clone)?;
        let case = CaseChoice {
            scenario: self.source.name.clone(),
            selection: self.selection(),
            openness: self.granularity.into(),
            source: None,
        };
        let task = Task::Seeds {
            strategy: self.strategy,
            first: self.seed,
            tries,
        };
        Ok((case, task))
    }

    /// The search of what is chosen.
    ///
    /// # Errors
    /// The scenario does not offer what is chosen.
    pub fn search(&self) -> Result<SearchJob, String> {
        self.plan.as_ref().map_err(Clone::clone)?;
        explore_job(&words(&self.search_line())?.split_off(2))
    }

    /// How a run is expected to end, or why it cannot be run.
    pub fn expectation(&self) -> String {
        match &self.plan {
            Ok(plan) => format!("expected: {}", plan.expect),
            Err(error) => error.clone(),
        }
    }

    /// The command line that runs the same.
    pub fn command_line(&self) -> String {
        self.line(self.strategy.name, self.seed)
    }

    /// The command line that searches the same.
    pub fn search_line(&self) -> String {
        let line = self.line(DEFAULT_STRATEGY, 0);
        let case = line
            .trim_start_matches("irqlab run")
            .trim_end_matches(" --seed 0");
        let search = match self.search {
            search if search == SEARCHES[0].0 => String::new(),
            "dfs" => " --exhaustive".to_owned(),
            search => format!(" --strategy {search}"),
        };
        format!("irqlab explore{case}{search}")
    }

    fn line(&self, strategy: &str, seed: u64) -> String {
        let Ok(plan) = &self.plan else {
            return String::new();
        };
        let answers = Answers::Strategy {
            name: strategy,
            seed,
        };
        let (call, scenario) = (&self.source.call, &self.source.scenario);
        let faults = self.faults();
        replay_line(
            call,
            scenario,
            plan,
            (&faults, &[]),
            self.granularity.into(),
            answers,
        )
    }
}

/// The index after `at`, or before it, around the ends of a list.
fn turn(at: usize, len: usize, by: isize) -> usize {
    let len = len.max(1) as isize;
    (at as isize + by).rem_euclid(len) as usize
}

fn turn_in<T: Copy + PartialEq>(all: &[T], value: T, by: isize) -> T {
    let at = all.iter().position(|one| *one == value).unwrap_or(0);
    all[turn(at, all.len(), by)]
}

fn turn_value(kind: &SettingKind, value: &Value, by: isize) -> Value {
    match (kind, value) {
        (SettingKind::Bool, Value::Bool(value)) => Value::Bool(!value),
        (SettingKind::Choice(values), Value::Text(value)) => {
            let at = values.iter().position(|one| one == value).unwrap_or(0);
            Value::Text(values[turn(at, values.len(), by)].clone())
        }
        (SettingKind::Int { min, max }, Value::Int(value)) => {
            Value::Int(value.saturating_add(by as i64).clamp(*min, *max))
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_turn_around_and_numbers_stop_at_their_bounds() {
        assert_eq!(turn(0, 3, -1), 2);
        assert_eq!(turn(2, 3, 1), 0);
        let int = SettingKind::Int { min: 1, max: 2 };
        assert_eq!(turn_value(&int, &Value::Int(2), 1), Value::Int(2));
        assert_eq!(
            turn_value(&SettingKind::Bool, &Value::Bool(true), 1),
            Value::Bool(false)
        );
    }
}
