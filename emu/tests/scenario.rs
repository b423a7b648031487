//! Scenario texts and what becomes of them: the plan, or the message. The cases are in
//! `scenario/*.txt`; `UPDATE_EXPECT=1` writes what came out into them.
//!
//! A case is a line `=== TITLE`, optional lines `--cpus 1`, `--set a=b` and so on, the scenario,
//! a line `---`, and what is expected. A scenario without a title gets one, and a machine.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use emu::oracle::ORACLES;
use emu::personality::Personality;
use emu::rules::{Level, RULES};
use emu::scenario::{Peer, Plan, Selection, StreamStep, parse, summary};

const PRELUDE: &str = "\
title = \"A title\"
summary = \"One line\"
machine = { profiles = [\"amd64\", \"i386\"], personalities = [\"ws2003-sp1\", \"ws2003-sp2\"] }
";

#[test]
fn scenario_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenario");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let differing = files.iter().filter(|file| !check_file(file)).count();
    assert_eq!(
        differing, 0,
        "files that differ; UPDATE_EXPECT=1 accepts what came out"
    );
}

/// Runs the cases of a file; false if something else came out than stands there.
fn check_file(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap();
    let (intro, cases) = text.split_once("=== ").expect("a case");
    let mut now = intro.to_owned();
    for case in cases.split("\n=== ") {
        let (title, rest) = case.split_once('\n').expect("a scenario");
        let (input, _) = rest.split_once("\n---\n").unwrap_or((rest.trim_end(), ""));
        let _ = write!(
            now,
            "=== {title}\n{input}\n---\n{}\n\n",
            outcome(input).trim_end()
        );
    }
    let now = format!("{}\n", now.trim_end());
    if now == text {
        return true;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, now).unwrap();
        return true;
    }
    for (old, new) in text
        .lines()
        .zip(now.lines())
        .filter(|(old, new)| old != new)
        .take(5)
    {
        eprintln!("{}:\n  expected {old}\n  came out {new}", path.display());
    }
    false
}

fn outcome(input: &str) -> String {
    let is_option = |line: &&str| line.starts_with("--");
    let options: Vec<&str> = input.lines().take_while(is_option).collect();
    let scenario: Vec<&str> = input.lines().skip_while(is_option).collect();
    let mut scenario = scenario.join("\n");
    if !scenario.contains("title") {
        scenario = format!("{PRELUDE}{scenario}");
    }
    let files = |path: &str| match path {
        "two.pcap" => Ok(capture(60)),
        "long.pcap" => Ok(capture(1515)),
        "half.pcap" => Ok(capture(60)[..90].to_vec()),
        _ => Err(format!("there is no {path}")),
    };
    let plan = parse("case.toml", &scenario).and_then(|s| s.expand(&selection(&options), &files));
    match plan {
        Ok(plan) => describe(&plan),
        Err(error) => error.to_string(),
    }
}

/// A pcap file of two frames of so many bytes: one to 02-00-00-00-00-01, one to everyone.
fn capture(length: u32) -> Vec<u8> {
    let header = [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 65535, 1];
    let mut file: Vec<u8> = header.into_iter().flat_map(u32::to_le_bytes).collect();
    for destination in [[2, 0, 0, 0, 0, 1], [0xFF; 6]] {
        file.extend(
            [0, 0, length, length]
                .into_iter()
                .flat_map(u32::to_le_bytes),
        );
        file.extend(destination);
        file.resize(file.len() + length as usize - 6, 0);
    }
    file
}

fn selection(options: &[&str]) -> Selection {
    let mut selection = Selection::default();
    for option in options {
        match option.split_once(' ').expect("an option and its value") {
            ("--set", pair) => {
                let (key, value) = pair.split_once('=').unwrap();
                selection.set.push((key.to_owned(), value.to_owned()));
            }
            ("--fault", text) => selection.faults.push(text.to_owned()),
            ("--oracle", word) => selection.oracles.push(word.to_owned()),
            ("--rule", word) => selection.rules.push(word.to_owned()),
            ("--cpus", cpus) => selection.cpus = cpus.parse().ok(),
            ("--personality", name) => selection.personality = Personality::from_name(name),
            other => panic!("no option {other:?}"),
        }
    }
    selection
}

/// What a plan has besides the machine, one line each.
fn describe(plan: &Plan) -> String {
    let mut text = format!(
        "{} on {} {}, {} cpus, {:?}\n",
        plan.scenario,
        plan.profile.name(),
        plan.personality,
        plan.cpus,
        plan.settings
    );
    let mut line = |line: String| text.push_str(&(line + "\n"));
    for driver in &plan.drivers {
        let file = driver.file.as_deref().unwrap_or(&driver.build);
        line(format!(
            "driver {} {file} as {}",
            driver.name, driver.service
        ));
    }
    for (key, name, value) in &plan.registry {
        line(format!("{key} {name} = {value:?}"));
    }
    for adapter in &plan.adapters {
        line(format!("{adapter:?}"));
    }
    for host in &plan.hosts {
        line(format!("{host:?}"));
    }
    for flow in &plan.flows {
        line(format!("{flow:?}"));
    }
    let mut peer = Peer::new(plan);
    for stream in &plan.streams {
        line(format!(
            "stream {} on {}",
            stream.name, plan.adapters[stream.adapter].name
        ));
        for step in &stream.steps {
            line(match step {
                StreamStep::Send(packet) => format!("  {}", summary(&peer.build(packet))),
                StreamStep::Await(wait) => format!("  {wait:?}"),
                StreamStep::Signal(signal) => format!("  signal {}", plan.signals[*signal]),
            });
        }
    }
    for matcher in &plan.matchers {
        line(format!("{matcher:?}"));
    }
    for thread in &plan.threads {
        line(format!(
            "thread {} at {}, {} handles",
            thread.name, thread.priority, thread.handles
        ));
        for step in &thread.steps {
            line(format!("  {step:?}"));
        }
    }
    for fault in &plan.faults {
        line(format!(
            "fault {} {:?} from {}",
            fault.kind, fault.params, fault.origin
        ));
    }
    if plan.limits != Default::default() || plan.memory != Default::default() {
        line(format!("{:?} {:?}", plan.limits, plan.memory));
    }
    let all = plan.oracles.len() == ORACLES.len();
    if !all {
        line(format!("oracles: {}", plan.oracles.join(", ")));
    }
    if plan.rules != Default::default() {
        let name = |level: Level| RULES.iter().filter(move |r| plan.rules.of(r) == level);
        for level in [Level::Off, Level::Stop] {
            let names: Vec<&str> = name(level).map(|r| r.name).collect();
            match names.len() {
                n if n > 3 => line(format!("rules at {}: {n}", level.name())),
                _ => line(format!("rules at {}: {}", level.name(), names.join(", "))),
            }
        }
    }
    line(format!("expected: {}", plan.expect));
    text
}
