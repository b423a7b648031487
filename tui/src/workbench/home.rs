//! What is run: the scenarios, and what can be changed about each.

use emu::choice::strategy::{STRATEGIES, StrategyKind, find};
use emu::machine::Granularity;
use emu::scenario::{CPUS_MAX, Selection, SettingKind, Value};

use super::app::Effect;
use super::keys::Key;
use super::worker::Job;
use crate::catalogue::{self, BUNDLED, Source};
use crate::cli::DEFAULT_STRATEGY;
use crate::failure::Outcome;
use crate::replay_line::{Answers, replay_line};

/// The scenarios and the choices made for each.
pub struct Home {
    /// The scenarios.
    pub entries: Vec<Entry>,
    /// The chosen one, by index.
    pub chosen: usize,
    /// The field that the cursor is on, by index; `None`: it is on the scenarios.
    pub at: Option<usize>,
}

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
    seed: u64,
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
}

impl Home {
    /// The bundled scenarios with their defaults.
    ///
    /// # Errors
    /// A bundled scenario is not well formed.
    pub fn new() -> Outcome<Home> {
        let entries = BUNDLED
            .iter()
            .map(|(name, _)| catalogue::find(name).map(Entry::new));
        Ok(Home {
            entries: entries.collect::<Outcome<_>>()?,
            chosen: 0,
            at: None,
        })
    }

    /// The chosen scenario.
    pub fn entry(&self) -> &Entry {
        &self.entries[self.chosen]
    }

    /// The field that the cursor is on.
    pub fn field(&self) -> Option<Field> {
        self.entry().fields().get(self.at?).copied()
    }

    /// Moves the cursor by rows: among the scenarios it chooses one, above the first field it
    /// goes back to them.
    pub fn go(&mut self, by: isize) -> Effect {
        match self.at {
            None => {
                let last = self.entries.len() - 1;
                self.chosen = self.chosen.saturating_add_signed(by).min(last);
            }
            Some(at) => {
                let last = self.entry().fields().len() - 1;
                self.at = at.checked_add_signed(by).map(|at| at.min(last));
            }
        }
        Effect::None
    }

    /// Moves the cursor from the scenarios to the fields, or back.
    pub fn turn(&mut self) -> Effect {
        self.at = match self.at {
            None => Some(0),
            Some(_) => None,
        };
        Effect::None
    }

    /// Changes the field of the cursor to its next value, or the one before; from the scenarios
    /// it goes to the fields.
    pub fn change(&mut self, by: isize) -> Effect {
        match self.field() {
            Some(field) => self.entries[self.chosen].change(field, by),
            None if by > 0 => return self.turn(),
            None => {}
        }
        Effect::None
    }

    /// Adds a digit to the seed; the first one on another field starts a new seed.
    pub fn type_seed(&mut self, key: Key) -> Effect {
        let Key::Digit(digit) = key else {
            return Effect::None;
        };
        let fresh = self.field() != Some(Field::Seed);
        let fields = self.entry().fields();
        let seed = fields
            .iter()
            .position(|field| *field == Field::Seed)
            .unwrap_or(0);
        self.at = Some(seed);
        let entry = &mut self.entries[self.chosen];
        let so_far = if fresh { 0 } else { entry.seed };
        let digit = u64::from(digit.to_digit(10).unwrap_or(0));
        let longer = so_far
            .checked_mul(10)
            .and_then(|seed| seed.checked_add(digit));
        entry.seed = longer.unwrap_or(entry.seed);
        Effect::None
    }

    /// Takes the last digit of the seed away.
    pub fn erase_seed(&mut self) -> Effect {
        if self.field() == Some(Field::Seed) {
            self.entries[self.chosen].seed /= 10;
        }
        Effect::None
    }

    /// The seed that a search has found.
    pub fn set_seed(&mut self, seed: u64) {
        self.entries[self.chosen].seed = seed;
    }

    /// The job that runs what is chosen.
    ///
    /// # Errors
    /// The scenario does not offer what is chosen.
    pub fn job(&self, id: u64, tries: u64) -> Result<Job, String> {
        let entry = self.entry();
        entry.plan()?;
        Ok(Job {
            id,
            scenario: entry.source.name.clone(),
            selection: entry.selection(),
            granularity: entry.granularity,
            strategy: entry.strategy,
            seed: entry.seed,
            tries,
        })
    }
}

impl Entry {
    fn new(source: Source) -> Entry {
        let scenario = &source.scenario;
        Entry {
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
            seed: 1,
            source,
        }
    }

    /// What can be changed, in order.
    pub fn fields(&self) -> Vec<Field> {
        let settings = (0..self.settings.len()).map(Field::Setting);
        [Field::Profile, Field::Personality, Field::Cpus]
            .into_iter()
            .chain(settings)
            .chain([Field::Granularity, Field::Strategy, Field::Seed])
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
        }
    }

    fn change(&mut self, field: Field, by: isize) {
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
            faults: Vec::new(),
            oracles: Vec::new(),
        }
    }

    fn plan(&self) -> Result<emu::scenario::Plan, String> {
        let files = |_: &str| Err("a bundled scenario has no files beside it".to_owned());
        let plan = self.source.scenario.expand(&self.selection(), &files);
        plan.map_err(|error| error.to_string())
    }

    /// How a run is expected to end, or why it cannot be run.
    pub fn expectation(&self) -> String {
        match self.plan() {
            Ok(plan) => format!("expected: {}", plan.expect),
            Err(error) => error,
        }
    }

    /// The command line that does the same.
    pub fn command_line(&self) -> String {
        let Ok(plan) = self.plan() else {
            return String::new();
        };
        let answers = Answers::Strategy {
            name: self.strategy.name,
            seed: self.seed,
        };
        let (name, scenario) = (&self.source.name, &self.source.scenario);
        replay_line(name, scenario, &plan, &[], self.granularity.into(), answers)
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

    #[test]
    fn typing_digits_makes_a_seed_and_too_many_are_ignored() {
        let mut home = Home::new().unwrap();
        "12".chars()
            .for_each(|c| drop(home.type_seed(Key::Digit(c))));
        assert_eq!(
            home.entry().seed,
            12,
            "the first digit replaces the default"
        );
        home.erase_seed();
        assert_eq!(home.entry().seed, 1);
        (0..30).for_each(|_| drop(home.type_seed(Key::Digit('9'))));
        assert_eq!(home.entry().seed, 1_999_999_999_999_999_999);
    }

    #[test]
    fn every_profile_of_every_scenario_can_be_run() {
        let mut home = Home::new().unwrap();
        for chosen in 0..home.entries.len() {
            home.chosen = chosen;
            for _ in 0..home.entry().source.scenario.profiles.len() {
                home.job(1, 1).unwrap();
                home.entries[chosen].change(Field::Profile, 1);
            }
        }
    }
}
