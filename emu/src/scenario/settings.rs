//! What a user may choose: the settings a scenario declares, and the machine's own options.

use std::collections::BTreeMap;
use std::fmt;

use super::Scenario;
use super::error::{ScenarioError, one_of};
use crate::personality::Personality;

/// The most cores a machine may have: the bits of a 32-bit `KAFFINITY`.
pub const CPUS_MAX: u8 = 32;

/// A value of a setting, of a fault's parameter or of an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Text(value) => f.write_str(value),
        }
    }
}

/// Something that a scenario lets its user change.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The name used with `--set` and in conditions.
    pub name: String,
    /// What it changes, in one line.
    pub help: String,
    /// Which values it takes.
    pub kind: SettingKind,
    /// Its value unless the user says otherwise.
    pub default: Value,
}

/// The values that a setting takes.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingKind {
    /// `true` or `false`
    Bool,
    /// One of these words.
    Choice(Vec<String>),
    /// An integer within these bounds, both included.
    Int {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
}

impl SettingKind {
    /// The value written as `text`.
    ///
    /// # Errors
    /// The mend, if the text is no value of this kind.
    pub fn value(&self, text: &str) -> Result<Value, String> {
        match self {
            SettingKind::Bool => match text {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err("it is true or false".to_owned()),
            },
            SettingKind::Choice(values) if values.iter().any(|v| v == text) => {
                Ok(Value::Text(text.to_owned()))
            }
            SettingKind::Choice(values) => Err(one_of(
                "it is one of",
                text,
                values.iter().map(String::as_str),
            )),
            SettingKind::Int { min, max } => match text.parse() {
                Ok(value) if (*min..=*max).contains(&value) => Ok(Value::Int(value)),
                _ => Err(format!("it is a number from {min} to {max}")),
            },
        }
    }
}

/// What the user chose. `Default` chooses nothing: the scenario's defaults hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// `--profile`
    pub profile: Option<isa::Profile>,
    /// `--personality`
    pub personality: Option<Personality>,
    /// `--cpus`
    pub cpus: Option<u8>,
    /// `--set KEY=VALUE`, in order; a later one wins. The keys `profile`, `personality` and
    /// `cpus` do what the options do.
    pub set: Vec<(String, String)>,
    /// `--fault`, for example `pool.fail:nth=3,tag=IPrb`
    pub faults: Vec<String>,
    /// `--oracle`, for example `race` or `no-livelock`, in order; see [`crate::oracle::select`]
    pub oracles: Vec<String>,
    /// `--rule`, for example `irql-api=stop`, in order; see [`crate::rules::Levels::say`]
    pub rules: Vec<String>,
}

/// Every choice made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub profile: isa::Profile,
    pub personality: Personality,
    pub cpus: u8,
    pub settings: BTreeMap<String, Value>,
}

impl Scenario {
    /// The selection checked against the scenario and completed by its defaults.
    pub(super) fn choose(&self, selection: &Selection) -> Result<Chosen, ScenarioError> {
        let mut chosen = Chosen {
            profile: self.profiles[0],
            personality: self.personalities[0],
            cpus: self.cpus,
            settings: self
                .settings
                .iter()
                .map(|s| (s.name.clone(), s.default.clone()))
                .collect(),
        };
        if let Some(profile) = selection.profile {
            self.set(&mut chosen, "--profile", "profile", profile.name())?;
        }
        if let Some(personality) = selection.personality {
            self.set(
                &mut chosen,
                "--personality",
                "personality",
                personality.name(),
            )?;
        }
        if let Some(cpus) = selection.cpus {
            self.set(&mut chosen, "--cpus", "cpus", &cpus.to_string())?;
        }
        for (key, value) in &selection.set {
            self.set(&mut chosen, "--set", key, value)?;
        }
        Ok(chosen)
    }

    /// One choice, made by `option`.
    fn set(
        &self,
        chosen: &mut Chosen,
        option: &str,
        key: &str,
        text: &str,
    ) -> Result<(), ScenarioError> {
        let origin = match option {
            "--set" => format!("--set {key}={text}"),
            _ => format!("{option} {text}"),
        };
        let error = |problem: String, mend: String| {
            ScenarioError::elsewhere(
                &origin,
                format!("{problem} in scenario {}", self.name),
                mend,
            )
        };
        let bad_value = |mend| error(format!("'{text}' is no value of {key}"), mend);
        match key {
            "profile" => {
                let found = self.profiles.iter().find(|p| p.name() == text);
                let names = self.profiles.iter().map(|p| p.name());
                chosen.profile =
                    *found.ok_or_else(|| bad_value(one_of("it is one of", text, names)))?;
            }
            "personality" => {
                let found = self.personalities.iter().find(|p| p.name() == text);
                let names = self.personalities.iter().map(|p| p.name());
                chosen.personality =
                    *found.ok_or_else(|| bad_value(one_of("it is one of", text, names)))?;
            }
            "cpus" => {
                let cpus = text.parse().ok().filter(|n| (1..=CPUS_MAX).contains(n));
                chosen.cpus =
                    cpus.ok_or_else(|| bad_value(format!("it is a number from 1 to {CPUS_MAX}")))?;
            }
            _ => {
                let Some(setting) = self.settings.iter().find(|s| s.name == key) else {
                    let names = self.settings.iter().map(|s| s.name.as_str());
                    let names = names.chain(["cpus", "personality", "profile"]);
                    return Err(error(
                        format!("there is no setting '{key}'"),
                        one_of("its settings are", key, names),
                    ));
                };
                let value = setting.kind.value(text).map_err(bad_value)?;
                chosen.settings.insert(key.to_owned(), value);
            }
        }
        Ok(())
    }
}
