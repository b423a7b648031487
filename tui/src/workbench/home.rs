//! What can be run: scenarios with what can be changed about each, and recorded runs.

use std::path::Path;

use super::app::Effect;
use super::entry::{Entry, Field};
use super::files;
use crate::catalogue::{self, BUNDLED, Source};
use crate::failure::Outcome;
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
    /// The recorded run that is to be compared with another one, by index.
    pub marked: Option<usize>,
}

/// Something that can be run.
pub enum Row {
    /// A scenario.
    Scenario(Box<Entry>),
    /// A run that was recorded.
    Recorded(Box<Recorded>),
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
            marked: None,
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

    /// Marks the chosen recorded run, or takes its mark away; if another one is marked, both are
    /// given and none is marked any more.
    ///
    /// # Errors
    /// It is no recorded run.
    pub fn mark(&mut self) -> Result<Option<(String, String)>, String> {
        let Some(Row::Recorded(recorded)) = self.row() else {
            return Err(
                "recorded runs are compared\nmend: choose one; :save in a trace writes one".into(),
            );
        };
        let other = recorded.name.clone();
        match self.marked.take().filter(|&one| one != self.chosen) {
            Some(one) => Ok(Some((self.rows[one].name().to_owned(), other))),
            None => {
                self.marked = Some(self.chosen);
                Ok(None)
            }
        }
    }

    /// A file has been written: a recorded run is offered from now on.
    pub fn written(&mut self, path: &Path) {
        let name = path.display().to_string();
        if name.ends_with(".schedule") && self.rows.iter().all(|row| row.name() != name) {
            self.rows
                .push(Row::Recorded(Box::new(files::recorded(&name))));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::SEARCHES;
    use emu::choice::strategy::STRATEGIES;

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
