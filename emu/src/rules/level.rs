//! How much each rule counts: words such as `irql-api=stop` and `all=off`, one after the other.

use std::collections::BTreeMap;
use std::fmt;

use super::{RULES, Rule, find};

/// How much a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Not at all.
    Off,
    /// A recorded run tells of a breach and goes on as it would without the rule.
    Warn,
    /// A breach ends the run.
    Stop,
}

impl Level {
    /// All of them.
    pub const ALL: [Level; 3] = [Self::Off, Self::Warn, Self::Stop];
    /// What a rule has unless somebody says otherwise.
    pub const DEFAULT: Level = Level::Warn;

    /// The name in scenarios and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Warn => "warn",
            Level::Stop => "stop",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Level> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// The levels of all rules: those that are not [`Level::DEFAULT`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels(BTreeMap<&'static str, Level>);

/// Stands for every rule.
pub const ALL: &str = "all";

impl Levels {
    /// The level of a rule.
    pub fn of(&self, rule: &Rule) -> Level {
        self.0.get(rule.name).copied().unwrap_or(Level::DEFAULT)
    }

    /// Whether a breach of some rule ends a run.
    pub fn may_stop(&self) -> bool {
        self.0.values().any(|level| *level == Level::Stop)
    }

    /// Sets the rule of that name, or every one.
    ///
    /// # Errors
    /// There is no such rule.
    pub fn set(&mut self, name: &str, level: Level) -> Result<(), Unknown> {
        let all = (name == ALL).then_some(RULES);
        let one = find(name).map(|rule| vec![rule]);
        let rules = all.map(<[_]>::to_vec).or(one);
        for rule in rules.ok_or_else(|| Unknown::Rule(name.to_owned()))? {
            match level {
                Level::DEFAULT => self.0.remove(rule.name),
                _ => self.0.insert(rule.name, level),
            };
        }
        Ok(())
    }

    /// Does what a word says: `NAME=LEVEL`.
    ///
    /// # Errors
    /// There is no such rule or no such level.
    pub fn say(&mut self, word: &str) -> Result<(), Unknown> {
        let (name, level) = word
            .split_once('=')
            .ok_or_else(|| Unknown::Form(word.to_owned()))?;
        let known = Level::from_name(level);
        self.set(name, known.ok_or_else(|| Unknown::Level(level.to_owned()))?)
    }
}

/// What is wrong with a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It is not `NAME=LEVEL`.
    Form(String),
    /// There is no rule of this name.
    Rule(String),
    /// There is no level of this name.
    Level(String),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Form(word) => write!(f, "'{word}' is not NAME=LEVEL"),
            Unknown::Rule(name) => write!(f, "unknown rule '{name}'"),
            Unknown::Level(level) => write!(f, "a rule is not '{level}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_one_after_the_other() {
        let mut levels = Levels::default();
        let of = |levels: &Levels, name: &str| levels.of(find(name).expect("a rule"));
        assert_eq!(of(&levels, "irql-api"), Level::Warn);
        levels.say("all=stop").expect("right");
        levels.say("irql-api=off").expect("right");
        assert_eq!(of(&levels, "irql-api"), Level::Off);
        assert_eq!(of(&levels, "pool-leak"), Level::Stop);
        levels.say("all=warn").expect("right");
        assert_eq!(levels, Levels::default());
    }

    #[test]
    fn every_mistake_has_its_words() {
        let mut levels = Levels::default();
        let mut said = |word: &str| levels.say(word).map_err(|e| e.to_string());
        assert_eq!(said("irql-api"), Err("'irql-api' is not NAME=LEVEL".into()));
        assert_eq!(said("leak=stop"), Err("unknown rule 'leak'".into()));
        let wrong = said("irql-api=on");
        assert_eq!(wrong, Err("a rule is not 'on'".into()));
    }
}
