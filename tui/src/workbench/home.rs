//! What can be run: scenarios with what can be changed about each, and recorded runs.

use std::fs;

use emu::choice::strategy::{STRATEGIES, StrategyKind, find};
use emu::machine::Granularity;
use emu::scenario::{CPUS_MAX, Plan, Selection, SettingKind, Value};

use super::app::Effect;
use super::commands::explore_job;
use super::files;
use super::line::words;
use super::search_job::SearchJob;
use super::worker::{CaseChoice, Task};
use crate::catalogue::{self, BUNDLED, Source};
use crate::cli::{DEFAULT_STRATEGY, SEARCHES};
use crate::failure::Outcome;
use crate::replay_line::{Answers, replay_line};
use crate::schedule_file::ScheduleFile;

/// What can be run and the choices made for it.
pub struct Home {
    /// The scenarios and recorded runs.
    pub rows: Vec<Row>,
    /// The chosen one, by index.
    pub chosen: usize,
    /// The field that the cursor is on, by index; `None`: it is on the rows.
    pub at: Option<usize>,
    /// Only rows with these letters are shown.
    pub filter: String,
}

/// Something that can be run.
pub enum Row {
    /// A scenario.
    Scenario(Box<Entry>),
    /// A run that was recorded.
    Recorded(Recorded),
}

/// A recorded run.
pub struct Recorded {
    /// Its file.
    pub name: String,
    /// What the file says, or why it says nothing.
    pub file: Result<ScheduleFile, String>,
}

impl Row {
    /// A scenario with its defaults.
    pub fn scenario(source: Source) -> Row {
        Row::Scenario(Box::new(Entry::new(source)))
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Row::Scenario(entry) => &entry.source.name,
            Row::Recorded(recorded) => &recorded.name,
        }
    }

    /// What it is, in one line.
    pub fn summary(&self) -> String {
        let recorded = match self {
            Row::Scenario(entry) => return entry.source.scenario.summary.clone(),
            Row::Recorded(recorded) => &recorded.file,
        };
        match recorded {
            Ok(file) => format!(
                "recorded: {} on {}, {} {}, {} moves",
                file.scenario,
                file.profile.name(),
                file.strategy,
                file.seed,
                file.moves.0.len()
            ),
            Err(problem) => format!("no recorded run: {problem}"),
        }
    }
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
    search: &'static str,
    seed: u64,
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
}

impl Home {
    /// The files that were named, the bundled scenarios, and what is in the current folder.
    ///
    /// # Errors
    /// A named file or a bundled scenario is not well formed.
    pub fn new(named: &[String]) -> Outcome<Home> {
        let mut rows = files::named(named)?;
        rows.extend(bundled()?);
        let names: Vec<String> = rows.iter().map(|row| row.name().to_owned()).collect();
        let found = files::in_current_folder();
        rows.extend(
            found
                .into_iter()
                .filter(|row| !names.iter().any(|name| name == row.name())),
        );
        Ok(Home::of(rows))
    }

    /// These rows, the first one chosen.
    pub fn of(rows: Vec<Row>) -> Home {
        Home {
            rows,
            chosen: 0,
            at: None,
            filter: String::new(),
        }
    }

    /// The chosen row, unless the filter leaves nothing.
    pub fn row(&self) -> Option<&Row> {
        self.rows.get(self.chosen).filter(|row| self.shows(row))
    }

    /// The chosen scenario.
    pub fn entry(&self) -> Option<&Entry> {
        match self.row()? {
            Row::Scenario(entry) => Some(entry),
            Row::Recorded(_) => None,
        }
    }

    fn entry_mut(&mut self) -> Option<&mut Entry> {
        match self.rows.get_mut(self.chosen)? {
            Row::Scenario(entry) => Some(entry),
            Row::Recorded(_) => None,
        }
    }

    fn shows(&self, row: &Row) -> bool {
        let filter = self.filter.to_lowercase();
        let line = format!("{}  {}", row.name(), row.summary());
        line.to_lowercase().contains(&filter)
    }

    /// The rows that the filter leaves, by index.
    pub fn visible(&self) -> Vec<usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| self.shows(row))
            .map(|(i, _)| i)
            .collect()
    }

    /// Shows only rows with these letters; if the chosen one is not among them, the first that is
    /// is chosen.
    pub fn set_filter(&mut self, filter: String) {
        self.filter = filter;
        let visible = self.visible();
        if !visible.contains(&self.chosen)
            && let Some(first) = visible.first()
        {
            self.choose(*first);
        }
    }

    /// Chooses a row.
    pub fn choose(&mut self, row: usize) {
        self.chosen = row.min(self.rows.len().saturating_sub(1));
        self.at = None;
    }

    /// The names of the scenarios, or of the recorded runs.
    pub fn names(&self, recorded: bool) -> Vec<String> {
        let rows = self.rows.iter();
        let rows = rows.filter(|row| matches!(row, Row::Recorded(_)) == recorded);
        rows.map(|row| row.name().to_owned()).collect()
    }

    /// The field that the cursor is on.
    pub fn field(&self) -> Option<Field> {
        self.entry()?.fields().get(self.at?).copied()
    }

    /// Moves the cursor by rows: among the scenarios it chooses one, above the first field it
    /// goes back to them.
    pub fn go(&mut self, by: isize) -> Effect {
        match (self.at, self.entry()) {
            (Some(at), Some(entry)) => {
                let last = entry.fields().len() - 1;
                self.at = at.checked_add_signed(by).map(|at| at.min(last));
            }
            _ => {
                let visible = self.visible();
                let at = visible
                    .iter()
                    .position(|row| *row == self.chosen)
                    .unwrap_or(0);
                let to = at
                    .saturating_add_signed(by)
                    .min(visible.len().saturating_sub(1));
                if let Some(row) = visible.get(to) {
                    self.choose(*row);
                }
            }
        }
        Effect::None
    }

    /// Moves the cursor from the scenarios to the fields, or back.
    pub fn turn(&mut self) -> Effect {
        self.at = match (self.at, self.entry()) {
            (None, Some(_)) => Some(0),
            _ => None,
        };
        Effect::None
    }

    /// Changes the field of the cursor to its next value, or the one before; from the scenarios
    /// it goes to the fields.
    pub fn change(&mut self, by: isize) -> Effect {
        let Some(field) = self.field() else {
            return match by > 0 {
                true => self.turn(),
                false => Effect::None,
            };
        };
        if let Some(entry) = self.entry_mut() {
            entry.change(field, by);
        }
        Effect::None
    }

    /// Adds digits to the seed; the first ones on another field start a new seed.
    pub fn type_seed(&mut self, words: &[String]) -> Effect {
        let digits = words.concat();
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Effect::Refuse(format!("'{digits}' is no seed\nmend: write digits only"));
        }
        let fresh = self.field() != Some(Field::Seed);
        let Some(entry) = self.entry_mut() else {
            return Effect::None;
        };
        let so_far = if fresh { 0 } else { entry.seed };
        let longer = digits.bytes().try_fold(so_far, |seed, digit| {
            seed.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        entry.seed = longer.unwrap_or(entry.seed);
        entry.refresh();
        let seed = entry
            .fields()
            .iter()
            .position(|field| *field == Field::Seed);
        self.at = seed;
        Effect::None
    }

    /// Takes the last digit of the seed away.
    pub fn erase_seed(&mut self) -> Effect {
        if self.field() == Some(Field::Seed)
            && let Some(entry) = self.entry_mut()
        {
            entry.seed /= 10;
            entry.refresh();
        }
        Effect::None
    }

    /// The seed that was found for a row.
    pub fn set_seed(&mut self, row: usize, seed: u64) {
        if let Some(Row::Scenario(entry)) = self.rows.get_mut(row) {
            entry.seed = seed;
            entry.refresh();
        }
    }
}

/// The bundled scenarios with their defaults.
///
/// # Errors
/// One of them is not well formed.
pub fn bundled() -> Outcome<Vec<Row>> {
    let names = BUNDLED.iter().map(|(name, _)| name);
    names
        .map(|name| catalogue::find(name).map(Row::scenario))
        .collect()
}

impl Entry {
    fn new(source: Source) -> Entry {
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
            seed: 1,
            plan: Err(String::new()),
            source,
        };
        entry.refresh();
        entry
    }

    /// Works the plan out anew: not when a frame is drawn, since it may read files.
    fn refresh(&mut self) {
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
            Field::Search => {
                let help = SEARCHES.iter().find(|(name, _)| *name == self.search);
                let drawn = || find(self.search).map(|kind| kind.help);
                help.map(|(_, help)| *help).or_else(drawn).unwrap_or("")
            }
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
        let (name, scenario) = (&self.source.name, &self.source.scenario);
        replay_line(name, scenario, plan, &[], self.granularity.into(), answers)
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

    fn home() -> Home {
        Home::of(bundled().unwrap())
    }

    fn seed(home: &Home) -> u64 {
        home.entry().unwrap().seed
    }

    #[test]
    fn typing_digits_makes_a_seed_and_too_many_are_ignored() {
        let mut home = home();
        let digit = |c: char| [c.to_string()];
        "12".chars().for_each(|c| drop(home.type_seed(&digit(c))));
        assert_eq!(seed(&home), 12, "the first digit replaces the default");
        home.erase_seed();
        assert_eq!(seed(&home), 1);
        (0..30).for_each(|_| drop(home.type_seed(&digit('9'))));
        assert_eq!(seed(&home), 1_999_999_999_999_999_999);
        assert!(matches!(
            home.type_seed(&["x".to_owned()]),
            Effect::Refuse(_)
        ));
    }

    #[test]
    fn every_profile_of_every_scenario_can_be_run_and_searched_in_every_way() {
        let mut home = home();
        for chosen in 0..home.rows.len() {
            home.choose(chosen);
            for _ in 0..home.entry().unwrap().source.scenario.profiles.len() {
                home.entry().unwrap().task(1).unwrap();
                home.entry_mut().unwrap().change(Field::Profile, 1);
            }
            for _ in 0..SEARCHES.len() + STRATEGIES.len() {
                home.entry().unwrap().search().unwrap();
                home.entry_mut().unwrap().change(Field::Search, 1);
            }
        }
    }

    #[test]
    fn the_filter_keeps_what_is_chosen_if_it_can() {
        let mut home = home();
        home.choose(3);
        home.set_filter("RESET".into());
        assert_eq!(home.row().unwrap().name(), "kb931322");
        home.set_filter("deadl".into());
        assert_eq!(home.row().unwrap().name(), "deadlock");
        home.set_filter("nothing like it".into());
        assert!(home.row().is_none() && home.visible().is_empty());
        home.go(1);
        home.set_filter(String::new());
        assert_eq!(home.row().unwrap().name(), "deadlock");
    }
}
