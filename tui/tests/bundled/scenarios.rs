//! The bundled scenarios: every choice they offer gives a plan, their settings change what they
//! say and nothing else, the correct drivers are expected to complete, and damage to their text is
//! an error and never a panic.

use emu::scenario::{How, Plan, Scenario, Selection, SettingKind, StopKind, parse};

use crate::support::root;

/// Those of an article: a stop that needs every one of its settings.
const ARTICLES: [&str; 2] = ["kb931322", "q252664"];

/// Scenarios of which each setting has an end of its own, which always comes.
const TABLES: [&str; 2] = ["faults", "rules"];

/// Settings that make a run longer or shorter and change nothing else.
const LENGTHS: [&str; 2] = ["questions", "rounds"];

fn texts() -> Vec<(String, String)> {
    let folder = root().join("scenarios");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut texts: Vec<(String, String)> = files
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    texts.sort();
    texts
}

/// The scenarios of a defect: those that offer a driver without it.
pub fn scenarios() -> Vec<Scenario> {
    let parsed = |(name, text): (String, String)| match parse(&name, &text) {
        Ok(scenario) => scenario,
        Err(error) => panic!("{error}"),
    };
    let all = texts().into_iter().map(parsed);
    all.filter(offers_fixed).collect()
}

fn offers_fixed(scenario: &Scenario) -> bool {
    let fixed = |kind: &SettingKind| match kind {
        SettingKind::Choice(values) => values.iter().any(|value| value == "fixed"),
        _ => false,
    };
    scenario.settings.iter().any(|setting| fixed(&setting.kind))
}

fn expand(scenario: &Scenario, selection: &Selection) -> Plan {
    match scenario.expand(selection, &|path| Err(format!("no {path}"))) {
        Ok(plan) => plan,
        Err(error) => panic!("{error}"),
    }
}

/// All values of every setting, combined.
fn combinations(scenario: &Scenario) -> Vec<Vec<(String, String)>> {
    let mut all = vec![Vec::new()];
    for setting in &scenario.settings {
        let values = match &setting.kind {
            SettingKind::Bool => vec!["true".to_owned(), "false".to_owned()],
            SettingKind::Choice(values) => values.clone(),
            _ if LENGTHS.contains(&setting.name.as_str()) => vec![setting.default.to_string()],
            SettingKind::Int { min, max } => vec![min.to_string(), max.to_string()],
        };
        let longer = |old: &Vec<(String, String)>| {
            let with = |value: &String| {
                let mut new = old.clone();
                new.push((setting.name.clone(), value.clone()));
                new
            };
            values.iter().map(with).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

#[test]
fn scenario_choices_all_give_plans() {
    for scenario in scenarios() {
        let always = TABLES.contains(&scenario.name.as_str());
        let mut stops = 0;
        for set in combinations(&scenario) {
            for &profile in &scenario.profiles {
                for &personality in &scenario.personalities {
                    for cpus in [1, 2, 4] {
                        let selection = Selection {
                            profile: Some(profile),
                            personality: Some(personality),
                            cpus: Some(cpus),
                            set: set.clone(),
                            faults: Vec::new(),
                            oracles: Vec::new(),
                            rules: Vec::new(),
                        };
                        let plan = expand(&scenario, &selection);
                        assert_eq!((plan.cpus, plan.personality), (cpus, personality));
                        let fixed = plan.settings.iter().any(|(_, value)| value == "fixed");
                        match plan.expect.stop {
                            StopKind::Completed => assert_eq!(plan.expect, Default::default()),
                            _ if fixed => panic!("{}: {:?}", scenario.name, plan.settings),
                            _ if always => {}
                            _ => assert_eq!(plan.expect.how, How::Possible),
                        }
                        stops += u32::from(plan.expect.stop != StopKind::Completed);
                    }
                }
            }
        }
        // The defaults on two and on four cores, on each profile and personality; of the others,
        // whatever has the defect.
        let offered = scenario.profiles.len() * scenario.personalities.len();
        let (name, stops) = (&scenario.name, stops as usize);
        match ARTICLES.contains(&name.as_str()) {
            true => assert_eq!(stops, 2 * offered, "{name}: expected stops"),
            false => assert!(stops >= 2 * offered, "{name}: expected stops: {stops}"),
        }
    }
}

#[test]
fn scenario_defaults_may_stop_and_any_change_of_an_article_s_completes() {
    for scenario in scenarios() {
        let plan = expand(&scenario, &Selection::default());
        if TABLES.contains(&scenario.name.as_str()) {
            continue;
        }
        assert_eq!(plan.expect.how, How::Possible);
        match plan.expect.stop {
            StopKind::Bugcheck => {
                assert!(plan.expect.bugcheck.is_some() && plan.expect.module.is_some());
            }
            stop => assert_eq!(stop, StopKind::Deadlock, "{}", scenario.name),
        }
        if !ARTICLES.contains(&scenario.name.as_str()) {
            continue;
        }
        for set in combinations(&scenario).into_iter().skip(1) {
            let plan = expand(
                &scenario,
                &Selection {
                    set,
                    ..Selection::default()
                },
            );
            assert_eq!(plan.expect, Default::default(), "{:?}", plan.settings);
        }
    }
}

#[test]
fn scenario_settings_reach_the_plan() {
    for scenario in scenarios() {
        let default = expand(&scenario, &Selection::default());
        let settings = scenario.settings.iter();
        for setting in settings.filter(|s| !LENGTHS.contains(&s.name.as_str())) {
            let other = combinations(&scenario)
                .into_iter()
                .flatten()
                .find(|(name, value)| {
                    *name == setting.name && *value != setting.default.to_string()
                })
                .expect("a setting has two values");
            let changed = expand(
                &scenario,
                &Selection {
                    set: vec![other],
                    ..Default::default()
                },
            );
            let same_work = Plan {
                settings: default.settings.clone(),
                expect: default.expect.clone(),
                ..changed.clone()
            } == default;
            assert!(
                !same_work,
                "{}: {} changes nothing",
                scenario.name, setting.name
            );
        }
    }
}

#[test]
fn scenario_builds_follow_the_choice() {
    let builds = |scenario: &Scenario, selection: &Selection| -> Vec<String> {
        let plan = expand(scenario, selection);
        plan.drivers
            .into_iter()
            .map(|driver| driver.build)
            .collect()
    };
    for scenario in scenarios() {
        let default = builds(&scenario, &Selection::default());
        assert!(default.iter().any(|build| build.ends_with("buggy")));
        let set = vec![("driver".to_owned(), "fixed".to_owned())];
        let fixed = builds(
            &scenario,
            &Selection {
                set,
                ..Selection::default()
            },
        );
        assert!(fixed.iter().any(|build| build.ends_with("fixed")));
        assert!(!fixed.iter().any(|build| build.ends_with("buggy")));
        for &personality in &scenario.personalities[1..] {
            let personality = Some(personality);
            let other = builds(
                &scenario,
                &Selection {
                    personality,
                    ..Selection::default()
                },
            );
            let same = default.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert_eq!(same, 0, "{}: builds of another Windows", scenario.name);
        }
    }
}

#[test]
fn scenario_damage_never_panics() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for (name, text) in texts() {
        let try_text = |text: &str| {
            if let Ok(scenario) = parse(&name, text) {
                let _ = scenario.expand(&Selection::default(), &|_| Ok(vec![0; 40]));
            }
        };
        for at in (0..text.len())
            .filter(|&at| text.is_char_boundary(at))
            .step_by(37)
        {
            try_text(&text[..at]);
        }
        let words = [
            "=", "\"", "{", "}", "[", "'", "n", "-1", "0x", "true", "\n", "é", "9999999",
        ];
        for _ in 0..400 {
            let mut damaged = text.clone();
            for _ in 0..1 + next() % 3 {
                let at = (0..=next() % damaged.len())
                    .rev()
                    .find(|&at| damaged.is_char_boundary(at))
                    .unwrap();
                if next() % 2 == 0 {
                    damaged.insert_str(at, words[next() % words.len()]);
                } else if at < damaged.len() {
                    damaged.remove(at);
                }
            }
            try_text(&damaged);
        }
    }
}
