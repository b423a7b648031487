//! `irqlab scenarios`: the bundled scenarios.

use emu::personality::Personality;
use emu::scenario::{Scenario, Setting, SettingKind};
use isa::Profile;
use serde::Serialize;

use crate::catalogue::{self, BUNDLED};
use crate::cli::{Format, ScenariosArgs};
use crate::failure::Outcome;
use crate::output;

pub(super) fn run(args: &ScenariosArgs) -> Outcome<bool> {
    let scenarios: Vec<Scenario> = BUNDLED
        .iter()
        .map(|(name, _)| catalogue::find(name).map(|source| source.scenario))
        .collect::<Outcome<_>>()?;
    match args.format {
        Format::Json => output::print_json(&scenarios.iter().map(object).collect::<Vec<_>>())?,
        Format::Text => {
            let width = scenarios.iter().map(|s| s.name.len()).max().unwrap_or(0);
            let describe = |scenario: &Scenario| {
                let line = format!("{:width$}  {}\n", scenario.name, scenario.summary);
                if args.verbose {
                    line + &details(scenario)
                } else {
                    line
                }
            };
            let blocks: Vec<String> = scenarios.iter().map(describe).collect();
            output::print(&blocks.join(if args.verbose { "\n" } else { "" }))?;
        }
    }
    Ok(true)
}

/// Everything that can be set, and what it is about.
fn details(scenario: &Scenario) -> String {
    let mut text = String::new();
    let mut row = |key: &str, values: &str, help: &str| {
        text += format!("  {key:<30} {values:<24} {help}").trim_end();
        text.push('\n');
    };
    let profiles: Vec<&str> = scenario.profiles.iter().map(|p| p.name()).collect();
    let personalities: Vec<&str> = scenario.personalities.iter().map(|p| p.name()).collect();
    row("--profile", &profiles.join(" | "), "the emulated machine");
    row(
        "--personality",
        &personalities.join(" | "),
        "the modelled Windows",
    );
    row("--cpus", &scenario.cpus.to_string(), "number of processors");
    for setting in &scenario.settings {
        row(
            &format!("--set {}=", setting.name),
            &values(setting).join(" | "),
            &setting.help,
        );
    }
    for line in scenario.story.lines() {
        text += format!("  {line}").trim_end();
        text.push('\n');
    }
    text
}

/// The values of a setting, the default first.
fn values(setting: &Setting) -> Vec<String> {
    let default = setting.default.to_string();
    let all = match &setting.kind {
        SettingKind::Bool => vec!["true".to_owned(), "false".to_owned()],
        SettingKind::Choice(values) => values.clone(),
        SettingKind::Int { min, max } => return vec![default, format!("{min} to {max}")],
    };
    let others = all.into_iter().filter(|value| *value != default);
    std::iter::once(default.clone()).chain(others).collect()
}

#[derive(Serialize)]
struct ScenarioObject<'a> {
    name: &'a str,
    title: &'a str,
    summary: &'a str,
    story: &'a str,
    profiles: Vec<&'static str>,
    personalities: Vec<&'static str>,
    cpus: u8,
    settings: Vec<SettingObject<'a>>,
}

#[derive(Serialize)]
struct SettingObject<'a> {
    name: &'a str,
    help: &'a str,
    default: String,
    values: Vec<String>,
}

fn object(scenario: &Scenario) -> ScenarioObject<'_> {
    ScenarioObject {
        name: &scenario.name,
        title: &scenario.title,
        summary: &scenario.summary,
        story: &scenario.story,
        profiles: scenario
            .profiles
            .iter()
            .copied()
            .map(Profile::name)
            .collect(),
        personalities: scenario
            .personalities
            .iter()
            .copied()
            .map(Personality::name)
            .collect(),
        cpus: scenario.cpus,
        settings: scenario
            .settings
            .iter()
            .map(|setting| SettingObject {
                name: &setting.name,
                help: &setting.help,
                default: setting.default.to_string(),
                values: values(setting),
            })
            .collect(),
    }
}
