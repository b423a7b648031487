//! What the commands print when all is well.

use serde_json::Value;

use super::{Folder, irqlab, irqlab_with};

fn json(arguments: &[&str]) -> (i32, Value) {
    let ran = irqlab(arguments);
    (
        ran.status,
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stderr)),
    )
}

#[test]
fn without_a_terminal_there_is_help_and_status_2() {
    let ran = irqlab(&[]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("Usage: irqlab"), "{}", ran.stderr);
}

#[test]
fn help_and_version_are_results() {
    for arguments in [&["--help"][..], &["run", "--help"], &["--version"]] {
        let ran = irqlab(arguments);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(ran.stdout.contains("irqlab"), "{arguments:?}");
    }
}

#[test]
fn scenarios_are_listed_with_one_line_each() {
    let ran = irqlab(&["scenarios"]);
    assert_eq!(ran.status, 0);
    let names: Vec<&str> = ran
        .stdout
        .lines()
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    assert_eq!(
        names,
        [
            "account",
            "bluetooth",
            "counter",
            "deadlock",
            "faults",
            "kb931322",
            "port",
            "q252664",
            "reorder",
            "reserve",
            "rules",
            "stack",
            "twostage",
            "wronglock"
        ]
    );
    let (_, list) = json(&["scenarios", "--format", "json"]);
    let ftp = names.iter().position(|name| *name == "q252664").unwrap();
    assert_eq!(list[ftp]["profiles"], serde_json::json!(["i386", "alpha"]));
    let verbose = irqlab(&["scenarios", "-v"]).stdout;
    assert!(verbose.contains("--set ip_preservation="), "{verbose}");
}

#[test]
fn drivers_are_listed_as_the_articles_list_them() {
    let ran = irqlab(&["drivers"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    // Version, date, time, platform, service pack and branch of Microsoft article 931322.
    let rows = [
        [
            "5.2.3790.2862",
            "2007-01-16",
            "10:51",
            "i386",
            "SP1",
            "SP1QFE",
        ],
        [
            "5.2.3790.4006",
            "2007-01-16",
            "13:29",
            "i386",
            "SP2",
            "SP2QFE",
        ],
        [
            "5.2.3790.2862",
            "2007-01-16",
            "04:34",
            "amd64",
            "SP1",
            "SP1QFE",
        ],
        [
            "5.2.3790.4006",
            "2007-01-16",
            "04:40",
            "amd64",
            "SP2",
            "SP2QFE",
        ],
        [
            "5.2.3790.2862",
            "2007-01-16",
            "04:35",
            "ia64",
            "SP1",
            "SP1QFE",
        ],
        [
            "5.2.3790.4006",
            "2007-01-16",
            "04:40",
            "ia64",
            "SP2",
            "SP2QFE",
        ],
    ];
    for row in rows {
        let found = ran.stdout.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.first() == Some(&row[0]) && row.iter().all(|cell| words.contains(cell))
        });
        assert!(found, "{row:?} is not in:\n{}", ran.stdout);
    }
}

#[test]
fn every_bundled_driver_imports_only_what_is_modelled() {
    let (_, index) = json(&["drivers", "--format", "json"]);
    for file in index["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        let (status, imports) = json(&["imports", path, "--format", "json"]);
        assert_eq!(
            (status, &imports["missing"]),
            (0, &Value::from(0)),
            "{path}"
        );
    }
}

#[test]
fn the_json_of_a_run_has_the_agreed_fields() {
    let (_, run) = json(&["run", "q252664", "--format", "json"]);
    let fields = [
        "scenario",
        "profile",
        "personality",
        "cpus",
        "seed",
        "granularity",
        "stop",
        "expected",
        "instructions",
        "choices",
        "schedule",
        "trace_hash",
    ];
    for field in fields {
        assert!(run.get(field).is_some(), "no {field}");
    }
    assert_eq!(run["scenario"], "q252664");
    assert_eq!(run["profile"], "i386");
    assert_eq!(run["granularity"], "access");
    assert!(run["stop"]["kind"].is_string());
}

#[test]
fn a_run_is_the_same_every_time_and_its_replay_line_repeats_it() {
    let (status, first) = json(&["run", "q252664", "--seed", "3", "--format", "json"]);
    let line = first["replay"].as_str().unwrap();
    assert_eq!(line, "irqlab run q252664 --profile i386 --seed 3");
    let words: Vec<&str> = line
        .split(' ')
        .skip(1)
        .chain(["--format", "json"])
        .collect();
    assert_eq!(json(&words), (status, first));
}

#[test]
fn a_saved_schedule_replays_the_run() {
    let folder = Folder::new("replay");
    let file = folder.0.join("run.schedule");
    let file = file.to_str().unwrap();
    let (status, run) = json(&[
        "run", "q252664", "--seed", "2", "--save", file, "--format", "json",
    ]);
    let (again, replay) = json(&["replay", file, "--format", "json"]);
    assert_eq!(status, again);
    for field in [
        "trace_hash",
        "stop",
        "schedule",
        "instructions",
        "choices",
        "seed",
        "why",
    ] {
        assert_eq!(run[field], replay[field], "{field}");
    }
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(replay["replay"], format!("irqlab replay {file}"));
    let piped = irqlab_with(&["replay", "-", "--format", "json"], &text);
    let piped: Value = serde_json::from_str(&piped.stdout).unwrap();
    assert_eq!(piped["trace_hash"], run["trace_hash"]);
    // The schedule itself on the command line does the same.
    let schedule = replay["schedule"].as_str().unwrap();
    let (_, moves) = json(&["run", "q252664", "--schedule", schedule, "--format", "json"]);
    assert_eq!(moves["trace_hash"], run["trace_hash"]);
}

#[test]
fn what_is_found_does_not_depend_on_the_number_of_workers() {
    for more in [
        &["--schedules", "12"][..],
        &["--seeds", "5..16", "--until-first"],
    ] {
        let explore = |jobs: &str| {
            let mut arguments = vec!["explore", "q252664", "--format", "json", "--jobs", jobs];
            arguments.extend(more);
            // Shrinking is the work of one, and long here.
            arguments.push("--no-shrink");
            json(&arguments)
        };
        let one = explore("1");
        assert_eq!(one, explore("2"));
        assert_eq!(one, explore("5"));
    }
}

#[test]
fn exploring_counts_what_single_runs_end_as() {
    // A seed is told by its line only where nothing was left out of its schedule.
    let (_, summary) = json(&[
        "explore",
        "q252664",
        "--seeds",
        "1..6",
        "--no-shrink",
        "--format",
        "json",
    ]);
    let ends = summary["ends"].as_array().unwrap();
    let count: u64 = ends.iter().map(|end| end["count"].as_u64().unwrap()).sum();
    assert_eq!((count, &summary["schedules"]), (6, &Value::from(6)));
    for end in ends {
        let line = end["replay"].as_str().unwrap();
        let words: Vec<&str> = line
            .split(' ')
            .skip(1)
            .chain(["--format", "json"])
            .collect();
        let (_, run) = json(&words);
        assert_eq!(run["stop"]["kind"], end["kind"], "{line}");
        assert_eq!(run["seed"], end["first_seed"], "{line}");
    }
}

/// A stream that waits for an answer, and nobody who could give it.
const UNANSWERED: &str = r#"
title = "Unanswered"
summary = "A host that waits for an answer"
story = ""
machine = { profiles = ["amd64"], personalities = ["ws2003-sp1"], cpus = 2 }

[[adapter]]
name = "Wire"
mac = "02-00-00-00-00-01"

[[host]]
name = "peer"
adapter = "Wire"
ip = "10.0.0.9"
mac = "02-00-00-00-00-09"

[[stream]]
name = "answers"
host = "peer"
step = [ { await = { arp = "10.0.0.1" } } ]
"#;

#[test]
fn a_deadlock_names_the_stream_that_waits() {
    let folder = Folder::new("unanswered");
    let file = folder.file("unanswered.toml", UNANSWERED);
    let waits = "until host peer knows the station of 10.0.0.1";
    let ran = irqlab(&["run", &file]);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    let sentence = format!("stream answers, step 1, waits {waits}");
    let on_one_line = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(on_one_line.contains(&sentence), "{}", ran.stdout);

    let (status, run) = json(&["run", &file, "--format", "json"]);
    assert_eq!(status, 1);
    assert_eq!(run["stop"]["waits"][0]["stream"], "answers");

    let explored = irqlab(&["explore", &file, "--schedules", "3"]);
    assert_eq!(explored.status, 1, "{}", explored.stderr);
    let end = format!("deadlock of 1 wait (stream answers {waits})");
    assert!(explored.stdout.contains(&end), "{}", explored.stdout);
}

/// The levels of the command line are part of what is saved and of the line that runs it again.
#[test]
fn rules_are_listed_checked_and_kept_in_schedules() {
    let (_, list) = json(&["rules", "--format", "json"]);
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["name"].as_str().unwrap())
        .collect();
    let text = irqlab(&["rules"]);
    for name in &names {
        assert!(text.stdout.contains(name), "{name}");
    }
    let (status, cells) = json(&["rules", "--check", "--profile", "i386", "--format", "json"]);
    assert_eq!((status, cells.as_array().unwrap().len()), (0, names.len()));

    let folder = Folder::new("rules");
    let file = folder.0.join("run.schedule");
    let file = file.to_str().unwrap();
    let off = [
        "run",
        "rules",
        "--rule",
        "all=off",
        "--rule",
        "pool-tag=warn",
    ];
    let (status, run) = json(&[&off[..], &["--save", file, "--format", "json"]].concat());
    assert_eq!(
        (status, &run["stop"]["kind"]),
        (1, &Value::from("bugcheck"))
    );
    let line = run["replay"].as_str().unwrap();
    assert!(
        line.contains("--rule all=off --rule pool-tag=warn"),
        "{line}"
    );
    let (_, replay) = json(&["replay", file, "--format", "json"]);
    assert_eq!(replay["trace_hash"], run["trace_hash"]);
    assert_eq!(replay["stop"].get("rule"), None);
    let (status, stopped) = json(&["run", "rules", "--format", "json"]);
    assert_eq!(
        (status, &stopped["stop"]["rule"]),
        (0, &Value::from("irql-api"))
    );

    let wrong = irqlab(&["run", "rules", "--rule", "irql-apo=stop"]);
    assert_eq!(wrong.status, 2);
    assert!(
        wrong.stderr.contains("did you mean 'irql-api'?"),
        "{}",
        wrong.stderr
    );
}
