//! The one line that runs a run again: only what differs from the defaults, quoted for a shell.

use emu::choice::{ChoiceKind, Kinds, World};
use emu::machine::Granularity;
use emu::scenario::{Plan, Scenario};

use crate::cli::DEFAULT_STRATEGY;
use crate::session::Openness;

/// What answers the choices.
#[derive(Clone, Copy)]
pub enum Answers<'a> {
    /// A strategy with a seed.
    Strategy {
        /// Its name.
        name: &'a str,
        /// The seed.
        seed: u64,
    },
    /// A schedule.
    Schedule(&'a str),
}

/// The command line. `call` are the words that call the scenario; faults and levels of rules are
/// those of the command line.
pub fn replay_line(
    call: &str,
    scenario: &Scenario,
    plan: &Plan,
    (faults, rules): (&[String], &[String]),
    openness: Openness,
    answers: Answers<'_>,
) -> String {
    let mut line = format!("irqlab {call}");
    let mut option = |name: &str, value: &str| {
        line += &format!(" --{name} {}", quoted(value));
    };
    // The profile is always named: it is what a reader wants to know first.
    option("profile", plan.profile.name());
    if scenario.personalities.first() != Some(&plan.personality) {
        option("personality", plan.personality.name());
    }
    if plan.cpus != scenario.cpus {
        option("cpus", &plan.cpus.to_string());
    }
    for setting in &scenario.settings {
        if let Some(value) = plan.settings.get(&setting.name)
            && *value != setting.default.to_string()
        {
            option("set", &format!("{}={value}", setting.name));
        }
    }
    for fault in faults {
        option("fault", fault);
    }
    for rule in rules {
        option("rule", rule);
    }
    if openness.granularity != Granularity::Access {
        option("granularity", openness.granularity.name());
    }
    let World { held, prompt } = openness.world;
    for (name, kinds) in [("hold", held), ("prompt", prompt)] {
        if kinds != Kinds::NONE {
            let names: Vec<&str> = kinds.iter().map(ChoiceKind::name).collect();
            option(name, &names.join(","));
        }
    }
    if openness.races {
        line += " --races";
    }
    let mut option = |name: &str, value: &str| {
        line += &format!(" --{name} {}", quoted(value));
    };
    match answers {
        Answers::Strategy { name, seed } => {
            if name != DEFAULT_STRATEGY {
                option("strategy", name);
            }
            option("seed", &seed.to_string());
        }
        Answers::Schedule(moves) => option("schedule", moves),
    }
    line
}

/// A word as a POSIX shell takes it: in single quotes unless every character is harmless.
pub fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/+@%".contains(c);
    match !word.is_empty() && word.chars().all(harmless) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use emu::scenario::Selection;

    #[test]
    fn only_what_differs_is_said() {
        let source = catalogue::find("kb931322").unwrap();
        let line = |selection: &Selection, answers| {
            let files = |_: &str| Err(String::new());
            let plan = source.scenario.expand(selection, &files).unwrap();
            let (call, scenario) = (&source.call, &source.scenario);
            replay_line(
                call,
                scenario,
                &plan,
                (&selection.faults, &selection.rules),
                Granularity::Access.into(),
                answers,
            )
        };
        let random = Answers::Strategy {
            name: "random",
            seed: 17,
        };
        let all = Selection::default();
        assert_eq!(
            line(&all, random),
            "irqlab run kb931322 --profile amd64 --seed 17"
        );
        let changed = Selection {
            profile: Some(isa::Profile::I386),
            cpus: Some(4),
            set: vec![
                ("driver".into(), "fixed".into()),
                ("nat".into(), "true".into()),
            ],
            faults: vec!["pool.fail:nth=3,tag=a b".into()],
            rules: vec!["all=stop".into()],
            ..Selection::default()
        };
        assert_eq!(
            line(&changed, Answers::Schedule("4B*7.")),
            "irqlab run kb931322 --profile i386 --cpus 4 --set driver=fixed \
             --fault 'pool.fail:nth=3,tag=a b' --rule all=stop --schedule '4B*7.'"
        );
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        let cases = [
            ("plain-1.toml", "plain-1.toml"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ];
        for (word, expected) in cases {
            assert_eq!(quoted(word), expected);
        }
    }
}
