//! From text to a [`Scenario`]: the file's shape, its settings, and every name in its expressions.

use super::condition::{Scope, Variable};
use super::context::Context;
use super::error::{ScenarioError, Source, one_of};
use super::schema::{File, SettingTable, Spanned};
use super::settings::{CPUS_MAX, Setting, SettingKind, Value};
use super::{Scenario, check, oracles, rules};
use crate::personality::Personality;

/// Reads a scenario. `file_name` names it in messages, and its last part without `.toml` is the
/// scenario's name.
///
/// # Errors
/// The first mistake found, with its place and how to mend it: in the form of the file, in a key,
/// in a name or a type of an expression. Mistakes in values that depend on the choices made show
/// in [`Scenario::expand`].
pub fn parse(file_name: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let source = Source {
        file: file_name.to_owned(),
        text: text.to_owned(),
    };
    let file: File = source.read()?;
    one_line(&source, "title", &file.title)?;
    one_line(&source, "summary", &file.summary)?;
    let scenario = Scenario {
        name: stem(file_name).to_owned(),
        title: file.title.get_ref().clone(),
        summary: file.summary.get_ref().clone(),
        story: file.story.trim().to_owned(),
        profiles: known(
            &source,
            "profile",
            &file.machine.profiles,
            isa::Profile::ALL.into_iter().map(|p| (p.name(), p)),
        )?,
        personalities: known(
            &source,
            "personality",
            &file.machine.personalities,
            Personality::ALL.into_iter().map(|p| (p.name(), p)),
        )?,
        cpus: match &file.machine.cpus {
            None => 1,
            Some(cpus) => u8::try_from(*cpus.get_ref())
                .ok()
                .filter(|cpus| (1..=CPUS_MAX).contains(cpus))
                .ok_or_else(|| {
                    let mend = format!("it is a number from 1 to {CPUS_MAX}");
                    source.error(cpus.span(), "impossible number of cores", mend)
                })?,
        },
        settings: settings(&source, &file)?,
        file,
        source,
    };
    oracles::words(&scenario.source, &scenario.file)?;
    rules::of_file(&scenario.source, &scenario.file)?;
    check::names_and_types(&scenario)?;
    Ok(scenario)
}

impl Scenario {
    /// The names that expressions may use before any `repeat`, with the values of a choice.
    pub(super) fn scope(
        &self,
        profile: isa::Profile,
        personality: Personality,
        cpus: u8,
        value_of: impl Fn(&Setting) -> Value,
    ) -> Result<Scope, ScenarioError> {
        let word = |value: &str, choices: Vec<&str>| Variable {
            value: Value::Text(value.to_owned()),
            choices: choices.into_iter().map(str::to_owned).collect(),
        };
        let profiles = isa::Profile::ALL.iter().map(|p| p.name()).collect();
        let personalities = Personality::ALL.iter().map(|p| p.name()).collect();
        let mut scope = Scope::from([
            ("cpus".to_owned(), Value::Int(cpus.into()).into()),
            ("profile".to_owned(), word(profile.name(), profiles)),
            (
                "personality".to_owned(),
                word(personality.name(), personalities),
            ),
        ]);
        for setting in &self.settings {
            let choices = match &setting.kind {
                SettingKind::Choice(values) => values.clone(),
                _ => Vec::new(),
            };
            scope.insert(
                setting.name.clone(),
                Variable {
                    value: value_of(setting),
                    choices,
                },
            );
        }
        // A `let` sees the settings but no other `let`, so that their order means nothing.
        let mut names = Vec::new();
        for (name, field) in &self.file.names {
            if scope.contains_key(name.get_ref()) {
                let problem = format!("'{}' is a name already", name.get_ref());
                return Err(self
                    .source
                    .error(name.span(), problem, "choose another name"));
            }
            let context = Context {
                source: &self.source,
                scope: &scope,
            };
            names.push((name.get_ref().clone(), context.expression(field)?.into()));
        }
        scope.extend(names);
        Ok(scope)
    }
}

/// The declared settings, in file order.
fn settings(source: &Source, file: &File) -> Result<Vec<Setting>, ScenarioError> {
    let mut tables: Vec<_> = file.setting.iter().collect();
    tables.sort_by_key(|(name, _)| name.span().start);
    tables
        .into_iter()
        .map(|(name, table)| setting(source, name, table))
        .collect()
}

fn setting(
    source: &Source,
    name: &Spanned<String>,
    table: &SettingTable,
) -> Result<Setting, ScenarioError> {
    let error = |problem: &str, mend: &str| Err(source.error(name.span(), problem, mend));
    let text = name.get_ref();
    if ["cpus", "profile", "personality", "sent", "true", "false"].contains(&text.as_str()) {
        return error(
            "this name is taken",
            "every scenario has it; choose another name",
        );
    }
    if !is_name(text) {
        return error(
            "this is no name",
            "use letters, digits and _, a letter first",
        );
    }
    let default = table.default.get_ref().value();
    let kind = match (&default, &table.values, table.min.zip(table.max)) {
        (Value::Bool(_), None, None) => SettingKind::Bool,
        (Value::Text(_), Some(values), None) => SettingKind::Choice(values.clone()),
        (Value::Int(_), None, Some((min, max))) => SettingKind::Int { min, max },
        _ => {
            let mend = "true or false needs nothing else; a string needs values = [...]; \
                        a number needs min and max";
            return error("the setting's default does not fit its other keys", mend);
        }
    };
    if let Err(mend) = kind.value(&default.to_string()) {
        let problem = format!("the default '{default}' is not allowed");
        return Err(source.error(table.default.span(), problem, mend));
    }
    Ok(Setting {
        name: text.clone(),
        help: table.help.clone(),
        kind,
        default,
    })
}

/// The values that a list of names stands for; at least one.
fn known<T: Copy>(
    source: &Source,
    what: &str,
    list: &Spanned<Vec<Spanned<String>>>,
    all: impl Iterator<Item = (&'static str, T)> + Clone,
) -> Result<Vec<T>, ScenarioError> {
    if list.get_ref().is_empty() {
        return Err(source.error(
            list.span(),
            format!("a scenario needs a {what}"),
            "name one",
        ));
    }
    let one = |name: &Spanned<String>| {
        let found = all.clone().find(|(known, _)| known == name.get_ref());
        found.map(|(_, value)| value).ok_or_else(|| {
            let mend = one_of(
                "known are",
                name.get_ref(),
                all.clone().map(|(known, _)| known),
            );
            let problem = format!("unknown {what} '{}'", name.get_ref());
            source.error(name.span(), problem, mend)
        })
    };
    list.get_ref().iter().map(one).collect()
}

fn one_line(source: &Source, key: &str, text: &Spanned<String>) -> Result<(), ScenarioError> {
    let value = text.get_ref();
    if value.trim().is_empty() || value.contains('\n') {
        let problem = format!("the {key} has to be one line");
        return Err(source.error(text.span(), problem, "put the details into story"));
    }
    Ok(())
}

/// Whether an expression can name it.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The last part of a path without `.toml`.
fn stem(file_name: &str) -> &str {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    name.strip_suffix(".toml").unwrap_or(name)
}

/// A message of the TOML reader in our words, with the known keys as suggestions.
pub(super) fn toml_error(source: &Source, error: &toml::de::Error) -> ScenarioError {
    let span = error.span().unwrap_or(0..0);
    let message = error.message().trim();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (true, Some((word, known))) =
        (message.starts_with("unknown field"), quoted.split_first())
    {
        let mend = one_of("keys here are", word, known.iter().copied());
        return source.error(span, format!("unknown key '{word}'"), mend);
    }
    if let (true, Some(key)) = (message.starts_with("missing field"), quoted.first()) {
        let mend = format!("add {key} = ...");
        return source.error(span, format!("the key '{key}' is missing"), mend);
    }
    let (problem, mend) = match message.split_once(", expected ") {
        Some((problem, "literal string")) => (problem, "put it in quotes".to_owned()),
        Some((problem, expected)) => (problem, format!("write {expected}")),
        None if message == "duplicate key" => (message, "leave one of them away".to_owned()),
        None => (
            message,
            "see https://toml.io for the form of a TOML file".to_owned(),
        ),
    };
    source.error(span, problem.replace('`', "'"), mend.replace('`', "'"))
}
